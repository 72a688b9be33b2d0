import NIOCore
import StorageCore
import Synchronization

/// A blob store over another one that loses blobs from sight, refuses to write and hands out other bytes, as a test says.
final class FaultyBlobStore: BlobStore {
    /// What is to happen, call by call; the defaults let everything through.
    struct Script: Sendable {
        /// Refusals of the next publications.
        var publications: [StorageError.Code] = []
        /// How often ``BlobStore/info(for:)`` does not find what is there.
        var missingInfos = 0
        /// How often ``BlobStore/open(_:range:)`` does not find what is there.
        var missingOpens = 0
        /// The keys that cannot be deleted.
        var stuck: Set<BlobKey> = []
        /// Whether the store does not answer to deletions and to the question whether it is there.
        var isAway = false
        /// Replaces what was opened.
        var content: (@Sendable (BlobContent) -> BlobContent)?
        /// How often it does so; nil for always.
        var replacements: Int?
        /// What lies in the store beside the blobs.
        var strays: [Stray] = []
        /// The ages, in the order of the calls, of uploads that were to be given up.
        var abandonments: [Duration] = []
        /// Runs before something is not found by opening it.
        var whenMissing: (@Sendable () async throws -> Void)?
        /// Runs once, before a publication.
        var whenPublishing: (@Sendable () async throws -> Void)?
        /// Runs before a deletion.
        var whenRemoving: (@Sendable () async throws -> Void)?
    }

    private static let away = StorageError(.unavailable, "The store cannot be reached.", isTransient: true)

    private let inner: InMemoryBlobStore
    private let journal: CallJournal
    private let script = Mutex(Script())
    private let handles = Mutex<(staged: [ObjectIdentifier], discarded: [ObjectIdentifier])>(([], []))

    init(_ inner: InMemoryBlobStore, journal: CallJournal) {
        self.inner = inner
        self.journal = journal
    }

    /// Whether everything that was staged was discarded, and exactly once.
    var isTidy: Bool { handles.withLock { $0.staged.sorted() == $0.discarded.sorted() } }

    func plan(_ change: @Sendable (inout Script) -> Void) {
        script.withLock { change(&$0) }
    }

    /// Takes one off a counter of the script; false when it is at 0.
    private func take(_ counter: any WritableKeyPath<Script, Int> & Sendable) -> Bool {
        script.withLock { script in
            guard script[keyPath: counter] > 0 else { return false }
            script[keyPath: counter] -= 1
            return true
        }
    }

    func stage(_ body: ByteStream) async throws -> StagedBlob {
        journal.note(.stage)
        let staged = try await inner.stage(body)
        handles.withLock { $0.staged.append(ObjectIdentifier(staged.handle)) }
        return staged
    }

    func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        journal.note(.publish)
        let refusal = script.withLock { $0.publications.isEmpty ? nil : $0.publications.removeFirst() }
        if let refusal { throw StorageError(refusal, "A publication fails.") }
        let whenPublishing = script.withLock { script in
            defer { script.whenPublishing = nil }
            return script.whenPublishing
        }
        try await whenPublishing?()
        try await inner.publish(staged, as: key)
    }

    func discard(_ staged: StagedBlob) async {
        journal.note(.discard)
        handles.withLock { $0.discarded.append(ObjectIdentifier(staged.handle)) }
        await inner.discard(staged)
    }

    func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        journal.note(.open)
        if take(\.missingOpens) {
            try await script.withLock { $0.whenMissing }?()
            return nil
        }
        guard let content = try await inner.open(key, range: range) else { return nil }
        let replace = script.withLock { script in
            guard script.replacements != 0 else { return nil as (@Sendable (BlobContent) -> BlobContent)? }
            script.replacements = script.replacements.map { $0 - 1 }
            return script.content
        }
        return replace?(content) ?? content
    }

    func info(for key: BlobKey) async throws -> BlobInfo? {
        journal.note(.info)
        return take(\.missingInfos) ? nil : try await inner.info(for: key)
    }

    func remove(_ key: BlobKey) async throws {
        journal.note(.remove)
        try await script.withLock { $0.whenRemoving }?()
        guard !script.withLock({ $0.stuck.contains(key) || $0.isAway }) else { throw Self.away }
        try await inner.remove(key)
    }

    func abandonUploads(olderThan age: Duration) async throws -> Int {
        script.withLock { script in
            script.abandonments.append(age)
            return 3
        }
    }

    /// The ages, in the order of the calls, of uploads that were to be given up.
    var abandonments: [Duration] { script.withLock { $0.abandonments } }

    func ping() async throws {
        guard !script.withLock({ $0.isAway }) else { throw Self.away }
        try await inner.ping()
    }

    func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        try await inner.keys(after: key, limit: limit)
    }

    func strays(limit: Int) async throws -> [Stray] { script.withLock { Array($0.strays.prefix(limit)) } }
}
