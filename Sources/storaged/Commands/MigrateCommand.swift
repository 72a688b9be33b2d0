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

    @Argument(help: "up (to the newest; makes the store where there is none), down (one step), or status")
    var action: Action

    @Flag(help: "down: do not ask")
    var yes = false

    @Flag(help: "print one JSON object a line")
    var json = false

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
            guard yes || Question.isConfirmed("Undo \(what)?") else {
                throw CommandFailure(description: "nothing was undone; say --yes to undo \(what)")
            }
        }
        for step in steps {
            let line = Step(number: step.number, name: step.name, appliedAt: step.appliedAt?.shown)
            try StandardOutput.write(
                line: json
                    ? JSONLine.text(of: line)
                    : "\(step.number) \(step.name): \(step.appliedAt == nil ? "missing" : "applied")")
        }
    }
}
