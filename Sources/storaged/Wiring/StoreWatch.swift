import Logging
import ServiceLifecycle
import StorageCore

/// Ends a daemon when blobs go to another store than its own.
///
/// Such a daemon would take what lies only in the new store for lost, and what it stores and deletes would pass the new store by. Whoever
/// begins a move should have stopped all daemons; this one was forgotten.
struct StoreWatch: Service {
    /// When a daemon that was started before a move has ended at the latest, unless it was stopped by force or its database does not answer.
    static let limit = Duration.seconds(15)
    private static let interval = Duration.seconds(3)

    private let history: StoreHistory
    private let metadata: any MetadataStore

    /// - Parameters:
    ///   - history: What the database remembered when the daemon began.
    ///   - metadata: Remembers more, perhaps.
    init(_ history: StoreHistory, in metadata: any MetadataStore) {
        self.history = history
        self.metadata = metadata
    }

    /// Looks again and again until the service shuts down.
    ///
    /// - Throws: ``CommandFailure`` when the daemon has to end.
    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: Self.interval) } catch { return }
                try await check()
            }
        }
    }

    /// Looks once; a database that does not answer takes no writes either.
    func check() async throws {
        guard let isLatest = try? await history.isLatest(in: metadata), !isLatest else { return }
        let message =
            "The blobs are being moved out of the store \(history.current ?? ""), which is this daemon's: it ends."
            + " Start it with the \(Keys.blobsStore.name) and \(Keys.blobsFallback.name) of the others."
        Logger(label: "storaged").critical("\(message)")
        throw CommandFailure(description: message, exitStatus: .configuration)
    }
}
