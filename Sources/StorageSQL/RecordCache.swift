import StorageCore
import Synchronization

/// Remembers what files were found, each with the version of the database that it was found at: a record of another version is
/// worth nothing.
final class RecordCache: Sendable {
    private struct Entry {
        let record: FileRecord
        let version: SQLVersion
    }

    /// At about half a kilobyte each.
    private static let capacity = 4_096

    private struct State {
        var entries = LRUCache<FileSelector, Entry>(capacity: capacity)
        /// The version that somebody told last.
        var version: SQLVersion?
        var statistics = CacheStatistics()
    }

    private let state = Mutex(State())

    /// How often records were found here.
    var statistics: CacheStatistics { state.withLock { $0.statistics } }

    /// The record that was found at this version.
    func record(_ selector: FileSelector, at version: SQLVersion) -> FileRecord? {
        state.withLock { state in
            state.version = version
            guard let entry = state.entries.value(for: selector), entry.version == version else {
                state.statistics.misses &+= 1
                return nil
            }
            state.statistics.hits &+= 1
            return entry.record
        }
    }

    /// Whether a record is likely to be remembered from the version that the database has.
    func isPromising(_ selector: FileSelector) -> Bool {
        state.withLock { state in
            guard let version = state.version else { return false }
            return state.entries.value(for: selector)?.version == version
        }
    }

    /// Remembers a record that was found while the database had this version.
    func remember(_ record: FileRecord, of selector: FileSelector, at version: SQLVersion) {
        state.withLock { state in
            state.version = version
            state.entries.insert(Entry(record: record, version: version), for: selector)
        }
    }
}
