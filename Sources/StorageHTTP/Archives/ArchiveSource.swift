import StorageCore

/// What an archive is made from.
struct ArchiveSource: Sendable {
    let root: FileRecord
    let scratch: ArchiveScratch
    private let storage: FileStorage
    private let body: ByteStream?

    /// - Parameters:
    ///   - root: The file or folder.
    ///   - body: The bytes of a file, which are open.
    init(_ root: FileRecord, body: ByteStream?, in storage: FileStorage, scratch: ArchiveScratch) {
        self.root = root
        self.body = body
        self.storage = storage
        self.scratch = scratch
    }

    /// All entries from the beginning.
    var tree: ArchivedTree { ArchivedTree(root, in: storage.metadata) }

    /// The bytes of a revision, which is the current one or was it a moment ago; nil when they are gone.
    func bytes(of revision: Revision) async throws -> ByteStream? {
        if let body, revision.id == root.revision?.id { return body }
        return try await storage.bytes(of: revision)
    }

    /// The bytes of a file as it was listed, or as it is now if those are gone; nil when the file is gone as well.
    func open(_ listed: FileRecord) async throws -> (record: FileRecord, body: ByteStream)? {
        if let revision = listed.revision, let body = try await bytes(of: revision) { return (listed, body) }
        do {
            return try await storage.open(.id(listed.container, listed.id))
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }
}

extension StorageError {
    /// The end of an archive that promised other bytes than there are.
    static let archiveBroken = StorageError(.corrupt, "A file is not what the archive says it is.")
}
