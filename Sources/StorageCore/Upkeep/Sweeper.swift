import Logging
public import ServiceLifecycle

/// Housekeeping of the metadata: uploads given up, credentials that have ended, usage to be added up, old tombstones.
public struct Sweeper: Service {
    private let metadata: any MetadataStore
    private let interval: Duration
    private let outage = OutageLog(Logger(label: "storage.sweeper"), needed: "the database")
    private let meter: UpkeepMeter

    /// Makes a sweeper.
    ///
    /// - Parameters:
    ///   - metadata: What is swept.
    ///   - interval: The pause between two rounds.
    public init(metadata: any MetadataStore, interval: Duration) {
        self.metadata = metadata
        self.interval = interval
        meter = UpkeepMeter("sweeper", every: interval)
    }

    /// Sweeps again and again until the service shuts down.
    public func run() async throws {
        await repeating(every: interval) {
            repeat { await sweep() } while await backfill()
        }
    }

    /// Does all housekeeping that is due now; a chore that fails is logged and holds up no other.
    ///
    /// What older versions wrote is not filled up by this: it may take hours, and is due at no time.
    public func sweep() async {
        var isDone = true
        for chore in Self.chores {
            do {
                while !Task.isCancelled, try await metadata.tidy(chore) {}
            } catch is CancellationError {
                return
            } catch {
                isDone = false
                failed(chore, error)
            }
        }
        guard isDone else { return meter.failed() }
        outage.succeeded()
        meter.succeeded()
    }

    /// Fills up for as long as other housekeeping can wait; whether there may be more.
    private func backfill() async -> Bool {
        let start = ContinuousClock.now
        do {
            while try await metadata.tidy(.backfill) {
                guard !Task.isCancelled else { return false }
                guard start.duration(to: .now) < Self.patience else { return true }
            }
        } catch is CancellationError {
            return false
        } catch {
            failed(.backfill, error)
        }
        return false
    }

    private func failed(_ chore: Chore, _ error: any Error) {
        outage.failed("a chore failed", error, ["chore": "\(chore)"])
    }

    private static let patience = Duration.seconds(30)

    private static let chores: [Chore] = [
        .sweepUploads(silent: 2 * 60 * 1_000_000, abandoned: 2 * 3_600 * 1_000_000, kept: 86_400 * 1_000_000),
        .removeClosedAccounts,
        .foldUsage,
        .sweepCredentials,
        .sweepTombstones(age: 7 * 86_400 * 1_000_000),
    ]
}
