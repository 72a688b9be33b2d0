import Synchronization

/// Shares the syncs of folders: one sync serves everybody who changed the folder before it began.
///
/// Whoever changed a folder calls ``begin(_:)``, or ``wait(for:)`` when that says so. Whoever is told to lead must call
/// ``start(_:)``, sync the folder, and call ``end(_:_:)`` whatever came of it.
final class FolderSyncs: Sendable {
    /// What somebody who changed a folder has to do.
    enum Turn: Sendable {
        /// Sync the folder now.
        case lead
        /// Wait: a sync is running that may have begun too early.
        case wait
    }

    /// How waiting ended.
    enum Outcome: Sendable {
        /// It is this one's turn to sync, for all that wait.
        case lead
        /// A sync that began after the change is over; with its failure, if it failed.
        case done(StorageError?)
    }

    private typealias Waiting = CheckedContinuation<Outcome, Never>

    /// A folder that is being synced, or about to be.
    private struct Folder {
        var waiting: [Waiting] = []
        var served: [Waiting] = []
    }

    private let folders = Mutex<[String: Folder]>([:])

    /// Joins the syncs of a folder after a change in it.
    func begin(_ folder: String) -> Turn {
        folders.withLock { folders in
            guard folders[folder] == nil else { return .wait }
            folders[folder] = Folder()
            return .lead
        }
    }

    /// Waits for a sync that begins after this call, or for the turn to lead it.
    func wait(for folder: String) async -> Outcome {
        await withCheckedContinuation { continuation in
            let leads = folders.withLock { folders in
                // The running sync may have ended since: then nobody is left to pass the lead on.
                guard folders[folder] != nil else {
                    folders[folder] = Folder()
                    return true
                }
                folders[folder]?.waiting.append(continuation)
                return false
            }
            if leads { continuation.resume(returning: .lead) }
        }
    }

    /// How many wait for a folder's next sync.
    func waiting(for folder: String) -> Int {
        folders.withLock { $0[folder]?.waiting.count ?? 0 }
    }

    /// Notes that the sync begins now: it serves everybody who waits at this moment.
    func start(_ folder: String) {
        folders.withLock { folders in
            guard let waiting = folders[folder]?.waiting else { return }
            folders[folder]?.served = waiting
            folders[folder]?.waiting = []
        }
    }

    /// Notes that the sync is over, and passes the lead on to one of those who came while it ran.
    func end(_ folder: String, _ failure: StorageError?) {
        let (served, next) = folders.withLock { folders in
            guard var ended = folders.removeValue(forKey: folder) else { return ([Waiting](), nil as Waiting?) }
            let served = ended.served
            guard let next = ended.waiting.first else { return (served, nil) }
            ended.served = []
            ended.waiting.removeFirst()
            folders[folder] = ended
            return (served, next)
        }
        next?.resume(returning: .lead)
        for continuation in served { continuation.resume(returning: .done(failure)) }
    }
}
