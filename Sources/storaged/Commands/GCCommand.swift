import ArgumentParser
import Logging
import StorageCore

/// `storaged gc`: one round of what the daemon does now and then.
struct GCCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Delete the bytes that no file refers to any more, now; beside a running daemon or without one.",
        discussion: SettingsHelp.reference)

    @Option(
        help: "age at which bytes without a reference may go, such as 0 or 5min (default: upkeep.grace)",
        transform: { text in try CommandValue.duration(text, in: .zero...(.seconds(3_650 * 86_400))) })
    var grace: Duration?

    @OptionGroup var output: OutputFormat

    /// What was collected.
    struct Outcome: Encodable {
        let blobs: Int
        let bytes: Int64
        /// Uploads into the store of the bytes that nobody would have ended, and that were given back.
        let uploads: Int

        /// One line for people.
        var text: String {
            let given = uploads == 0 ? "" : "; gave back \(uploads) unfinished \(uploads == 1 ? "upload" : "uploads")"
            return "collected \(blobs) \(blobs == 1 ? "blob" : "blobs"), \(ByteText.of(bytes))\(given)"
        }
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let outcome = try await collect(configuration)
        try output.write(outcome, outcome.text)
    }

    /// Sweeps first: an upload that was given up is what keeps its bytes.
    func collect(_ configuration: StoragedConfiguration) async throws -> Outcome {
        let grace = grace ?? configuration.upkeep.grace
        return try await Wiring.besideDaemon(configuration) { stores in
            await Sweeper(metadata: stores.metadata, interval: configuration.upkeep.interval).sweep()
            let collector = GarbageCollector(
                metadata: stores.metadata, blobs: stores.blobs, grace: grace, interval: configuration.upkeep.interval)
            let report = try await collector.collect()
            return Outcome(blobs: report.blobs, bytes: report.bytes, uploads: report.uploads)
        }
    }
}
