/// Files that are stored by their digest.
extension FileStorage {
    /// Refuses to make or move anything where only files that are published by their digest are made.
    ///
    /// The names below ``FilePath/byHash`` promise that a file has just those bytes and that everybody may read it. The container
    /// of a token promises nothing: there any name is like any other.
    ///
    /// - Throws: ``StorageError/Code/pathConflict``.
    func refuseReserved(_ path: FilePath, for principal: Principal) throws {
        guard path.isInside(.byHash), let account = principal.account, account.kind != .token else { return }
        throw StorageError(
            .pathConflict,
            "\(FilePath.byHash) holds the files that are published by their digest; nothing else can be put there or moved out."
        )
    }
}

extension FileStorage {
    /// The description of a file that is published again: what is not sent with the bytes this time stays as it was sent before.
    func keepingDescription(
        _ file: NewFile, of staged: StagedUpload, in container: Container
    ) async throws -> NewFile {
        guard file.sentName == nil, file.isPublished(by: staged.digest),
            let current = try await metadata.file(.path(container.id, file.path))?.revision,
            current.blob.digest == staged.digest
        else { return file }
        var file = file
        file.sentName = current.sentName
        file.mediaType = file.mediaType ?? current.mediaType
        return file
    }
}

extension FilePath {
    /// The folder of the files that are published by their digest.
    public static let byHash = FilePath(stored: Array("by-hash".utf8))

    /// Where a file is stored that is published by its digest.
    public static func byHash(_ digest: BlobDigest) -> FilePath {
        FilePath(stored: byHash.prefix + Array(digest.hex.utf8))
    }
}

extension NewFile {
    /// Describes a file that is published by the digest of its bytes.
    ///
    /// The path says nothing of what the bytes are: where the client does not either, the name that it sent does.
    public init(publishing digest: BlobDigest, mediaType: MediaType?, sentName: String?, precondition: Precondition) {
        self.init(
            path: .byHash(digest), mediaType: mediaType ?? sentName.map { .ofName(Array($0.utf8)) }, sentName: sentName,
            precondition: precondition, link: .hash(digest))
    }

    /// Whether the file is published by this digest, in the place of such files.
    func isPublished(by digest: BlobDigest) -> Bool {
        path == .byHash(digest) && link == .hash(digest)
    }
}
