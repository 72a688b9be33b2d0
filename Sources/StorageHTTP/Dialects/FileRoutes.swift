import HTTPTypes
import StorageCore

/// Files by path and id, of the accounts-and-paths dialect.
let fileRoutes = [
    Route(.get, "/api/v1/files") { call in
        let principal = try await call.principal()
        let list = ListStream(
            call, principal, try call.scope(), kind: try call.kind()
        ) { $0.write(to: &$1) }
        let account = principal.account
        return try await list.answer { json in
            json.beginObject()
            json.name("account")
            account?.login.map { json.string($0.description) } ?? json.null()
            json.name("account_id")
            account.map { json.string($0.id.description) } ?? json.null()
            json.name("files")
            json.beginArray()
        } closing: { json, cursor in
            json.endArray()
            if let cursor {
                json.name("cursor")
                json.string(cursor)
            }
            json.endObject()
        }
    },
    Route(.post, "/api/v1/files/upload") { try await Upload($0).answer() },
    .download("/api/v1/files/download", as: { try $0.archiveFormat() }) { try $0.namedRevision },
    Route(.delete, "/api/v1/files") { call in
        let principal = try await call.principal()
        let isRecursive = try call.query.value("recursive").map { $0.elementsEqual("true".utf8) } ?? false
        try await call.storage.delete(
            try await call.selector(try call.namedFile, of: principal), if: try call.precondition(),
            recursively: isRecursive)
        return Answer(.noContent)
    },
    Route(.post, "/api/v1/folders") { call in
        let principal = try await call.principal()
        let fields = try await FormFields(call)
        var path = try fields.required("path")
        if path.count > 1, path.last == ASCII.slash { path.removeLast() }
        switch try await call.storage.makeFolder(try FilePath(path), as: principal) {
        case .created(let record): return record.answer(.created)
        case .updated(let record): return record.answer(.ok)
        case .deleted, .blobLost: throw StorageError(.internal, "A folder was not made.")
        }
    },
    Route(.post, "/api/v1/files/move") { call in
        let (source, target, overwrite, principal) = try await call.relocation()
        let record = try await call.storage.move(
            source, to: target, as: principal, overwrite: overwrite, if: try call.precondition())
        return record.answer(.ok)
    },
    Route(.post, "/api/v1/files/copy") { call in
        let (source, target, overwrite, principal) = try await call.relocation()
        let record = try await call.storage.copy(
            source, to: target, as: principal, overwrite: overwrite, if: try call.precondition())
        return record.answer(.ok)
    },
]

extension Call {
    /// The file that `?path=` names.
    fileprivate var namedFile: FileReference {
        get throws {
            guard let text = try query.value("path") else {
                throw Problem(.badRequest, "missing_path", "The query must have path=, a path or an id.")
            }
            return try FileReference(text)
        }
    }

    /// The file that `?path=` names, as it was with the revision that `&rev=` names.
    fileprivate var namedRevision: FileReference {
        get throws {
            guard let text = try query.value("rev") else { return try namedFile }
            guard let revision = RevisionID(text: text) else { throw StorageError.noSuchRevision }
            return .revision(revision, of: try namedFile)
        }
    }

    /// The part of the tree that `prefix` or `folder` narrows a list to.
    fileprivate func scope() throws -> ListQuery.Scope {
        if var folder = try query.value("folder") {
            guard !query.contains("prefix") else {
                throw Problem(.badRequest, "invalid_query", "Only one of prefix and folder can be given.")
            }
            while folder.last == ASCII.slash { folder.removeLast() }
            guard !folder.isEmpty else { return .folder(nil) }
            return .folder(try FilePath(folder))
        }
        let prefix = try query.value("prefix") ?? []
        return .files(prefix: prefix.first == ASCII.slash ? Array(prefix.dropFirst()) : prefix)
    }

    fileprivate func kind() throws -> FileKind? {
        guard let text = try query.text("kind") else { return nil }
        guard let kind = FileKind(rawValue: text) else {
            throw Problem(.badRequest, "invalid_kind", "kind must be one of image, media, text and other.")
        }
        return kind
    }

    /// `from`, `to` and `overwrite` of a move or copy.
    fileprivate func relocation() async throws -> (FileSelector, FilePath, overwrite: Bool, Principal) {
        let principal = try await principal()
        let fields = try await FormFields(self)
        let source = try await selector(try FileReference(try fields.required("from")), of: principal)
        return (source, try FilePath(try fields.required("to")), try fields.flag("overwrite"), principal)
    }
}
