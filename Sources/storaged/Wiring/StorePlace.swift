import StorageCore

/// A store of bytes that is open, and what it is called.
struct StorePlace: Sendable {
    let store: any BlobStore
    /// The UUID that it has for good.
    let id: String
    /// For people, within a sentence.
    let name: String
    /// The key of the setting that chooses it.
    let setting: String

    /// The store, with what its calls take counted under its kind.
    var instrumented: any BlobStore {
        InstrumentedBlobStore(store, store: setting == Keys.s3Bucket.name ? "s3" : "disk")
    }

    var hasBlobs: Bool {
        get async throws { try await !store.keys(after: nil, limit: 1).isEmpty }
    }
}

extension StorePlace {
    /// Has the database remember that its blobs lie in this store, in front of an older one or alone, unless it does already.
    ///
    /// - Returns: What it remembers then; this store is the newest.
    /// - Throws: ``StorageError/Code/wrongStore`` when it knows others, and for a store with blobs that it does not know.
    @discardableResult
    func confirm(
        inFrontOf fallback: StorePlace?, belongsTo metadata: some MetadataStore
    ) async throws -> StoreHistory {
        while true {
            let history = try await StoreHistory(of: metadata)
            guard try history.step(to: self, from: fallback) == .adding else { return history }
            if !history.ids.contains(id), try await hasBlobs {
                throw StorageError(
                    .wrongStore,
                    history.current == nil
                        ? "\(name.capitalized) holds files, but the database is new: it knows none of them."
                        : "\(name.capitalized) holds files that the database does not know: give an empty one.")
            }
            // Another process that starts at this moment may have been faster: what it remembers counts.
            try await history.add(id, to: metadata)
        }
    }

    /// Refuses stores that no daemon has used like this with the database.
    ///
    /// - Returns: What the database remembers; this store is the newest.
    /// - Throws: ``StorageError/Code/wrongStore``.
    @discardableResult
    func check(inFrontOf fallback: StorePlace?, belongsTo metadata: some MetadataStore) async throws -> StoreHistory {
        let history = try await StoreHistory(of: metadata)
        guard !history.ids.isEmpty else {
            throw StorageError(.wrongStore, "The database knows no store yet: no daemon has used it.")
        }
        guard try history.step(to: self, from: fallback) == .nothing else {
            throw StorageError(
                .wrongStore,
                "The database does not know \(name) yet: start a daemon with these \(Keys.blobsStore.name) and"
                    + " \(Keys.blobsFallback.name) first.")
        }
        return history
    }
}

extension String {
    /// The text with its first letter in upper case.
    fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
