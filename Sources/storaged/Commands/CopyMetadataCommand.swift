import ArgumentParser
import Logging
import StorageCore
import StorageSQL

/// `storaged copy-metadata`: from one database into another, for good.
struct CopyMetadataCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy-metadata",
        abstract: "Move the metadata into another database, verified; beside running daemons or without one.",
        discussion: """
            The files themselves stay where they are: the store belongs to the new database afterwards. The database that \
            is moved takes no new uploads from the start, and no writes once those under way have ended: clients get 503 with \
            Retry-After, reads go on, nothing is collected. Every row is copied and compared; then the old database is marked \
            as moved, and whoever is started on it is refused with 78. Restart every daemon with the new one.

            What goes wrong, SIGINT and SIGTERM end the copy, and the old database takes writes again. After SIGKILL it stays \
            frozen until the command is called again, which begins anew, or called with --give-up. The new database must be \
            empty, or hold no more than such an unfinished copy.

            Everybody on the machine can read the arguments of a process: leave the password of a database to PGPASSWORD or \
            ~/.pgpass. \(SettingsHelp.reference)
            """)

    @Option(help: "the database that is moved: sqlite:<path> or postgres://…")
    var from: String

    @Option(help: "the empty database that it is moved into; a file is made where there is none")
    var to: String?

    @Option(
        help: "how long uploads under way may go on before the copy is given up, such as 30s (default: 5min)",
        transform: { text in try CommandValue.duration(text, in: .zero...(.seconds(7 * 86_400))) })
    var wait: Duration = .seconds(300)

    @Flag(help: "let the database take writes again that an unfinished copy has left frozen")
    var giveUp = false

    @OptionGroup var output: OutputFormat

    /// What was moved.
    struct Outcome: Encodable {
        let from: String
        let to: String
        /// Null where an earlier call had done everything but its last step.
        @ExplicitNull var rows: Int?

        /// One line for people.
        var text: String {
            let what = rows.map { "moved \($0) rows" } ?? "everything had been moved already"
            return "\(what) from \(from) to \(to): set database.url to that"
        }
    }

    /// What became of a database that a copy had left.
    struct Thaw: Encodable {
        let from: String
        let wasFrozen: Bool

        /// One line for people.
        var text: String { wasFrozen ? "\(from) takes writes again" : "\(from) was not frozen" }
    }

    func validate() throws {
        guard (to == nil) == giveUp else { throw ValidationError("give either --to or --give-up") }
        _ = try CommandValue.database(from, of: "--from")
        if let to { _ = try CommandValue.database(to, of: "--to") }
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let source = try CommandValue.database(from, of: "--from")
        guard let to else {
            let thaw = try await Wiring.thaw(source)
            return try output.write(thaw, thaw.text)
        }
        let target = try CommandValue.database(to, of: "--to")
        var patience = MetadataCopy.Patience()
        patience.uploads = wait
        let display = CopyDisplay()
        defer { display.finish() }
        let outcome = try await Wiring.copyMetadata(from: source, to: target, patience) { display.show($0) }
        display.finish()
        try output.write(outcome, outcome.text)
    }
}
