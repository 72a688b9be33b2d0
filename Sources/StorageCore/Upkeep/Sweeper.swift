import Logging
public import ServiceLifecycle

/// Housekeeping of the metadata: uploads given up, credentials that have ended, usage to be added up, old tombstones.
public struct Sweeper: Service {
    private let metadata: any MetadataStore
    private let interval: Duration
    private let outage = OutageLog(Logger(label: "storage.sweeper"), needed: "the database")

    /// Makes a sweeper.
    ///
    /// - Parameters:
    ///   - metadata: What is swept.
    ///   - interval: The pause between two rounds.
    public init(metadata: any MetadataStore, interval: Duration) {
        self.metadata = metadata
        self.interval = interval
    }

    /// Sweeps again and again until the service shuts down.
    public func run() async throws {
        await repeating(every: interval) {
            await sweep()
        }
    }

    /// Does all housekeeping that is due now; a chore that fails is logged and holds up no other.
    public func sweep() async {
        var isDone = true
        for chore in Self.chores {
            do {
                while !Task.isCancelled, try await metadata.tidy(chore) {}
            } catch {
                isDone = false
                outage.failed("a chore failed", error, ["chore": "\(chore)"])
            }
        }
        if isDone { outage.succeeded() }
    }

    private static let chores: [Chore] = [
        .sweepUploads(silent: 2 * 60 * 1_000_000, abandoned: 2 * 3_600 * 1_000_000, kept: 86_400 * 1_000_000),
        .removeClosedAccounts,
        .foldUsage,
        .sweepCredentials,
        .sweepTombstones(age: 7 * 86_400 * 1_000_000),
    ]
}
