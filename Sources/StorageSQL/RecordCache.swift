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

    private let entries = Mutex(LRUCache<FileSelector, Entry>(capacity: capacity))

    /// The record that was found at this version.
    func record(_ selector: FileSelector, at version: SQLVersion) -> FileRecord? {
        entries.withLock { entries in
            guard let entry = entries.value(for: selector), entry.version == version else { return nil }
            return entry.record
        }
    }

    /// Remembers a record that was found while the database had this version.
    func remember(_ record: FileRecord, of selector: FileSelector, at version: SQLVersion) {
        entries.withLock { $0.insert(Entry(record: record, version: version), for: selector) }
    }
}
