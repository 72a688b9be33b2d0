import HTTPTypes
import StorageCore
import Synchronization

/// Remembers what downloads of whole files begin with: until a file changes, every one of them has the same head.
final class PreparedHeads: Sendable {
    private struct Key: Hashable {
        let revision: RevisionID
        let isPublic: Bool
    }

    private struct Entry {
        /// A revision keeps its id when its file moves, and the file is modified by that.
        let path: FilePath
        let modifiedAt: Timestamp
        let answer: Answer
    }

    private let entries: Mutex<LRUCache<Key, Entry>>

    /// What an entry takes beside its lines, once as fields and once as they are sent.
    private static let overhead = 1_024

    /// - Parameter bytes: What all heads may take of memory.
    init(bytes: Int = 8 << 20) {
        entries = Mutex(LRUCache(capacity: bytes))
    }

    /// The head for a file, as it was last made for it.
    func head(of record: FileRecord, _ revision: Revision, isPublic: Bool) -> Answer? {
        let entry = entries.withLock { $0.value(for: Key(revision: revision.id, isPublic: isPublic)) }
        guard let entry, entry.path == record.path, entry.modifiedAt == record.modifiedAt else { return nil }
        return entry.answer
    }

    /// Keeps a head.
    func keep(_ answer: Answer, of record: FileRecord, _ revision: Revision, isPublic: Bool) {
        let entry = Entry(path: record.path, modifiedAt: record.modifiedAt, answer: answer.prepared())
        let weight = Self.overhead + record.path.bytes.count + 2 * (entry.answer.lines?.count ?? 0)
        entries.withLock { $0.insert(entry, for: Key(revision: revision.id, isPublic: isPublic), weight: weight) }
    }
}
