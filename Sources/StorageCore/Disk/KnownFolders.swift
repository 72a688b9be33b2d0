import Synchronization

/// Remembers which folders are known to be durable, and which a sync failed for.
final class KnownFolders: Sendable {
    private static let capacity = 16_384

    private let durable: Mutex<Set<String>>
    private let failed = Mutex<Set<String>>([])

    /// Begins with folders whose names are synced.
    init(durable: [String]) {
        self.durable = Mutex(Set(durable))
    }

    /// Whether the folder was made, or found, and its name synced since the start.
    func isDurable(_ folder: String) -> Bool {
        durable.withLock { $0.contains(folder) }
    }

    /// Notes that the folder's name was synced.
    func noteDurable(_ folder: String) {
        durable.withLock { folders in
            // What is forgotten is only synced once more.
            if folders.count >= Self.capacity { folders.removeAll() }
            folders.insert(folder)
        }
    }

    /// Whether names in the folder may be lost although a later sync of it succeeds.
    func hasFailed(_ folder: String) -> Bool {
        failed.withLock { $0.contains(folder) || $0.count >= Self.capacity }
    }

    /// Notes that a sync of the folder failed.
    func noteFailure(_ folder: String) {
        failed.withLock { folders in
            if folders.count < Self.capacity { folders.insert(folder) }
        }
    }
}
