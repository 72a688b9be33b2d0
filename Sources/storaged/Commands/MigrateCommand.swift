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

    @Argument(help: "up (to the newest; makes a missing SQLite store), down (one step), or status")
    var action: Action

    @OptionGroup var confirmation: Confirmation
    @OptionGroup var output: OutputFormat

    /// A step as `--json` prints it.
    struct Step: Encodable {
        let number: Int
        let name: String
        @ExplicitNull var appliedAt: String?
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let steps = try await Wiring.migrate(action, configuration) { last in
            let what = "migration \(last.number) (\(last.name)), with everything that its tables hold"
            try confirmation.require(to: "undo", past: "undone", what)
        }
        for step in steps {
            let line = Step(number: step.number, name: step.name, appliedAt: step.appliedAt?.shown)
            try output.write(line, "\(step.number) \(step.name): \(step.appliedAt == nil ? "missing" : "applied")")
        }
    }
}
