import StorageCore

/// The stores that the blobs of a database have lain in, as the database remembers them.
///
/// Ever only added to, each step at most once, so that any number of processes may read and add: the first store; another whenever blobs
/// began to be moved into one; that all of them had arrived there.
struct StoreHistory: Sendable, Equatable {
    /// What has to be remembered before a store may be used.
    enum Step: Sendable, Equatable {
        case nothing
        /// The store is the first one, or the one that blobs are moved into from now on.
        case adding
    }

    /// Their ids, oldest first. One that blobs were moved back into is there again.
    private(set) var ids: [String] = []
    /// Whether there is nothing left to be moved into the newest.
    private(set) var isSettled = true

    /// Where new blobs go.
    var current: String? { ids.last }
    /// Where older ones may still be; nil where they were never moved.
    var previous: String? { ids.dropLast().last }

    /// Reads it.
    init(of metadata: some MetadataStore) async throws {
        while let id = try await metadata.setting(Self.name(ids.count + 1), default: nil) { ids.append(id) }
        if ids.count > 1 {
            isSettled = try await metadata.setting(Self.end(ids.count), default: nil) != nil
        }
    }

    /// Whether no further store was added since it was read: a single read.
    func isLatest(in metadata: some MetadataStore) async throws -> Bool {
        try await metadata.setting(Self.name(ids.count + 1), default: nil) == nil
    }

    init(ids: [String] = [], isSettled: Bool = true) {
        self.ids = ids
        self.isSettled = isSettled
    }

    /// Remembers a further store, unless another process was faster; what counts then is to be read again.
    func add(_ id: String, to metadata: some MetadataStore) async throws {
        _ = try await metadata.setting(Self.name(ids.count + 1), default: id)
    }

    /// Remembers that all blobs are in the newest store that it knows, whatever was added since.
    func settle(in metadata: some MetadataStore) async throws {
        _ = try await metadata.setting(Self.end(ids.count), default: "true")
    }

    private static func name(_ number: Int) -> String { number == 1 ? "store.id" : "store.id.\(number)" }
    private static func end(_ number: Int) -> String { "store.id.\(number).complete" }

    /// Whether a place that is no store yet may become one, in front of an older one or alone: what is made would be refused otherwise.
    func allowsNew(inFrontOf fallback: StorePlace?) -> Bool {
        guard let current else { return fallback == nil }
        return fallback?.id == current && isSettled
    }

    /// What is to be remembered before a store may be used, in front of an older one or alone.
    ///
    /// A wrong volume or bucket would look like lost files, and what is then uploaded or collected would harm both.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` for stores that do not belong to the database, and for one that would be used without
    ///   the other that still has blobs.
    func step(to store: StorePlace, from fallback: StorePlace?) throws -> Step {
        guard let current else {
            guard let fallback else { return .adding }
            throw Self.refusal("The database is new: it knows nothing of \(fallback.name), which is to be moved.")
        }
        if store.id == current {
            try check(fallback)
            return .nothing
        }
        guard let fallback, fallback.id == current else {
            throw Self.refusal(
                "The database belongs to the store \(current), but \(store.name) is the store \(store.id)."
                    + " Everybody who uses this database needs the \(store.setting) that it began with,"
                    + " or \(Keys.blobsFallback.name) to move what is there.")
        }
        guard isSettled || store.id == previous else {
            throw Self.refusal(
                "The blobs of the database are still being moved into \(fallback.name): let copy-blobs end that first.")
        }
        return .adding
    }

    /// Whether an older store must be there, or may be.
    private func check(_ fallback: StorePlace?) throws {
        if let fallback {
            guard fallback.id != previous else { return }
            throw Self.refusal(
                "\(Keys.blobsFallback.name) names the store \(fallback.id), and the blobs of this database were not there"
                    + (previous.map { " before, but in the store \($0)." }
                        ?? " before: they are where they always were."))
        }
        guard isSettled else {
            throw Self.refusal(
                "The blobs are still being moved out of the store \(previous ?? ""): \(Keys.blobsFallback.name) must name"
                    + " it until copy-blobs has ended.")
        }
    }

    private static func refusal(_ message: String) -> StorageError { StorageError(.wrongStore, message) }
}
