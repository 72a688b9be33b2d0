import HTTPTypes
import StorageCore

/// The hash dialect: files that everybody reads who knows the digest of their bytes.
///
/// With `X-Auth-Token` none of these paths is its: there they are those of a container.
let hashRoutes = [
    Route(.post, "/api/files", where: Condition.noContainerToken) { try await HashUpload($0).answer() },
    .publicDownload("/api/files", where: Condition.hashInQuery) { try $0.link(ofHash: try $0.hashInQuery()) },
    .publicDownload("/api/files/by-hash/{hash}", where: Condition.noContainerToken) {
        try $0.link(ofHash: $0.hashInPath)
    },
    Route(.delete, "/api/files", where: Condition.noContainerToken) { call in
        let principal = try await call.principal()
        let digest = try await call.deleteReference(try await call.hashInQueryOrBody(), of: principal)
        return .json { $0.hashes(digest) }
    },
    Route(.delete, "/api/files/by-hash/{hash}", where: Condition.noContainerToken) { call in
        let principal = try await call.principal()
        _ = try await call.deleteReference(call.hashInPath, of: principal)
        return Answer(.noContent)
    },
]

/// Which requests are of this dialect, where its paths are those of the containers too.
private enum Condition {
    static let noContainerToken: Route.Condition = { headers, _ in headers[.xAuthToken] == nil }
    /// An empty hash is one too: it selects the dialect and is unknown.
    static let hashInQuery: Route.Condition = { headers, query in
        headers[.xAuthToken] == nil && (query.contains("hash") || query.contains("file_hash"))
    }
}

/// An upload: a form, or the bytes alone.
private struct HashUpload {
    private let call: Call

    init(_ call: Call) {
        self.call = call
    }

    func answer() async throws -> Answer {
        let principal = try await call.principal()
        let condition = try call.precondition()
        switch try call.content() {
        case .form, .json:
            let file = try await FormFile(call, replacing: .sameContent, as: principal)
            return try await store(try file.body(), as: principal) { digest in
                try await file.finish()
                return NewFile(
                    publishing: digest, mediaType: file.mediaType, sentName: file.name.text, precondition: condition)
            }
        case .urlEncoded, .raw:
            let body = try call.body()
            try call.refuseLong(body.length)
            return try await store(body, as: principal) { digest in
                NewFile(publishing: digest, mediaType: call.rawMediaType, sentName: nil, precondition: condition)
            }
        }
    }

    private func store(
        _ body: ByteStream, as principal: Principal, _ file: (BlobDigest) async throws -> NewFile
    ) async throws -> Answer {
        try await call.staging(body, as: principal, replacing: .sameContent) { staged in
            let new = try await file(staged.digest)
            return try answer(to: try await call.storage.put(new, staged: staged, as: principal))
        }
    }

    private func answer(to result: FileChangeResult) throws -> Answer {
        guard let record = result.record, let revision = record.revision else {
            throw StorageError(.notFound, "The file was deleted while it was being stored.")
        }
        var headers = record.validators
        if case .created = result {
            headers[.location] = call.location("/api/files/by-hash/\(revision.blob.digest.hex)")
        }
        return .json(headers: headers) { json in
            json.hashes(revision.blob.digest)
            json.name("id")
            json.string(record.id.description)
            json.name("name")
            json.string(revision.sentName ?? String(decoding: record.path.name, as: UTF8.self))
            json.name("size")
            json.integer(revision.size)
        }
    }
}

extension Call {
    /// The public name of what was published by this hash. For one that is malformed there is no file.
    fileprivate func link(ofHash hash: [UInt8]) throws -> Link {
        guard let digest = BlobDigest(hex: hash) else { throw StorageError.noSuchFile }
        return .hash(digest)
    }

    /// Deletes the principal's own file of this hash; those of others with the same bytes stay.
    ///
    /// - Throws: 404 for a hash that nobody published, 403 for one that only others did.
    fileprivate func deleteReference(_ hash: [UInt8], of principal: Principal) async throws -> BlobDigest {
        guard let digest = BlobDigest(hex: hash) else { throw StorageError.noSuchFile }
        if let container = storage.container(of: principal)?.id,
            let record = try await storage.metadata.file(.path(container, .byHash(digest))),
            record.revision?.blob.digest == digest
        {
            try await storage.delete(.id(container, record.id), if: try precondition())
            return digest
        }
        guard try await storage.metadata.file(.link(.hash(digest))) != nil else { throw StorageError.noSuchFile }
        throw StorageError(.forbidden, "The file of this hash is not yours.")
    }

    fileprivate var hashInPath: [UInt8] { Array(parameter) }

    /// `hash` or `file_hash` of the query; nil when there is neither.
    private func namedHash() throws -> [UInt8]? {
        let (hash, alias) = (try query.value("hash"), try query.value("file_hash"))
        if let hash, let alias, hash != alias {
            throw Problem(.badRequest, "invalid_query", "Only one of hash and file_hash can be given.")
        }
        return hash ?? alias
    }

    fileprivate func hashInQuery() throws -> [UInt8] {
        try namedHash() ?? []
    }

    /// The hash that is to be deleted.
    ///
    /// - Throws: 400 when the request names none.
    fileprivate func hashInQueryOrBody() async throws -> [UInt8] {
        if let hash = try namedHash() { return hash }
        guard hasBody || headers[.contentType] != nil else {
            throw Problem(.badRequest, "missing_hash", "Name the file: ?hash= or {\"file_hash\": …}.")
        }
        return try await FormFields(self).required("file_hash", or: "hash")
    }
}

extension JSONWriter {
    fileprivate mutating func hashes(_ digest: BlobDigest) {
        for name in ["hash", "file_hash"] as [StaticString] {
            self.name(name)
            string(digest.hex)
        }
    }
}
