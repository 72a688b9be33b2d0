import ArgumentParser
import Logging
import StorageSQL

/// `storaged migrate up|down|status`: the schema of the database.
struct MigrateCommand: ConfiguredCommand {
    /// What to do with the schema.
    enum Action: String, Sendable, CaseIterable, ExpressibleByArgument {
        case up, down, status
    }

    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the schema of the database up, one step down, or say where it is.",
        discussion: SettingsHelp.text)

    @Argument(help: "up (to the newest), down (one step), or status")
    var action: Action

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        for step in try await Wiring.migrate(action, configuration) {
            print("\(step.number) \(step.name): \(step.appliedAt == nil ? "missing" : "applied")")
        }
    }
}
