import HTTPTypes
import NIOCore
import StorageCore

/// An upload of the accounts-and-paths dialect: a form with `path` before or behind the file, or a raw body with `?path=`.
struct Upload {
    private let call: Call

    init(_ call: Call) {
        self.call = call
    }

    func answer() async throws -> Answer {
        let principal = try await call.principal()
        try call.refusePartialContent()
        let path = try call.query.value("path")
        let result: FileChangeResult
        switch try call.content() {
        case .form(let form):
            result = try await store(form, path, principal)
        case .json where path == nil:
            _ = try JSONBody.parse(try await call.smallBody())
            throw StorageError(.unprocessable, "file: is missing; send it as a part of a multipart/form-data body.")
        case .json, .urlEncoded, .raw:
            guard let path else { throw Self.noPath }
            let file = try await file(
                at: path, sentAs: nil, type: call.rawMediaType, try call.precondition(), principal)
            result = try await call.storage.put(file, body: try call.body(), as: principal)
        }
        switch result {
        case .created(let record):
            let location = "/api/v1/files/download?path=%2F\(PercentEncoding.encodePath(record.path.bytes))"
            return record.answer(.created, headers: [.location: call.location(location)])
        case .updated(let record):
            return record.answer(.ok)
        case .deleted, .blobLost:
            throw StorageError(.notFound, "The file was deleted while it was being stored.")
        }
    }

    /// Stores the first file of a form. Its bytes are staged where they stand; the commit waits for the end of the form, because the
    /// path may come behind them and a form that breaks off must leave nothing.
    private func store(_ form: MultipartReader, _ queryPath: [UInt8]?, _ principal: Principal) async throws
        -> FileChangeResult
    {
        let precondition = try call.precondition()
        try await call.admitForm(replacing: try await replacement(at: queryPath, principal), as: principal)
        var path = queryPath
        var staged: (upload: StagedUpload, name: [UInt8], type: MediaType?)?
        do {
            while let part = try await form.nextPart() {
                if let name = part.filename {
                    guard staged == nil, !name.isEmpty else {
                        try await form.skip(part)
                        continue
                    }
                    var replaced = Replacement.unknown
                    if let path {
                        let file = try await file(at: path, sentAs: name, type: part.mediaType, precondition, principal)
                        let existing = try await call.storage.admit(file, length: nil, as: principal)
                        replaced = existing.map { .file($0) } ?? .nothing
                    }
                    let bytes = try form.body(of: part)
                    staged = (
                        try await call.storage.stage(bytes, as: principal, replacing: replaced), name, part.mediaType
                    )
                } else {
                    let value = try await form.field(part)
                    if part.isNamed("path"), path == nil { path = value }
                }
            }
            guard let staged else {
                throw StorageError(.unprocessable, "file: is missing; send a part with a filename.")
            }
            guard let path else { throw Self.noPath }
            let file = try await file(at: path, sentAs: staged.name, type: staged.type, precondition, principal)
            let result = try await call.storage.put(file, staged: staged.upload, as: principal)
            await call.storage.discard(staged.upload)
            return result
        } catch {
            if let staged { await call.storage.discard(staged.upload) }
            throw error
        }
    }

    /// What the path in the query tells before the form does: where nothing is, the file is new, in a folder of that name too.
    private func replacement(at path: [UInt8]?, _ principal: Principal) async throws -> Replacement {
        guard let path, let path = try? FilePath(path), let container = call.storage.container(of: principal) else {
            return .unknown
        }
        guard let existing = try await call.storage.metadata.file(.path(container.id, path)) else { return .nothing }
        return existing.isFolder ? .unknown : .file(existing)
    }

    private func file(
        at path: [UInt8], sentAs name: [UInt8]?, type: MediaType?, _ precondition: Precondition, _ principal: Principal
    ) async throws -> NewFile {
        let name = try name.map { try SentName($0) }
        return NewFile(
            path: try await UploadTarget(path, name).resolve(in: call.storage, for: principal), mediaType: type,
            sentName: name?.text, precondition: precondition)
    }

    private static let noPath = Problem(
        .badRequest, "missing_path", "path is missing; send it as a field of the form or in the query.")
}

/// The name that a client sent a file under, without the folders that some send with it.
struct SentName {
    let bytes: [UInt8]

    /// - Throws: 400 `invalid_path` for a name that no file can have.
    init(_ raw: [UInt8]) throws {
        let name = raw.split(separator: ASCII.slash).last.map(Array.init) ?? raw
        bytes = Array(try FilePath(name).bytes)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Where an upload goes: `path` is the file itself or the folder that it goes into.
struct UploadTarget {
    private let path: [UInt8]
    private let name: SentName?

    init(_ path: [UInt8], _ name: SentName?) {
        self.path = path
        self.name = name
    }

    /// A path that ends in a slash, or names an existing folder, is a folder. Otherwise it is the file if its last segment is the sent
    /// name; a folder if the segment has no dot, the sent name has one and no file lives there; else the file.
    func resolve(in storage: FileStorage, for principal: Principal) async throws -> FilePath {
        if path.last == ASCII.slash { return try inside(path.dropLast()) }
        let file = try FilePath(path)
        let isNamedSo = name?.bytes.elementsEqual(file.name) ?? false
        var existing: FileRecord?
        if let container = storage.container(of: principal) {
            existing = try await storage.metadata.file(.path(container.id, file))
        }
        if existing?.isFolder ?? false { return try inside(file.bytes[...]) }
        guard !isNamedSo, existing == nil, let name else { return file }
        let looksLikeFolder = !file.name.contains(ASCII.dot) && name.bytes.contains(ASCII.dot)
        return looksLikeFolder ? try inside(file.bytes[...]) : file
    }

    private func inside(_ folder: ArraySlice<UInt8>) throws -> FilePath {
        guard let name else {
            throw StorageError(.unprocessable, "path: names a folder, and a raw body has no name; give the whole path.")
        }
        return folder.isEmpty ? try FilePath(name.bytes) : try FilePath(folder).appending(name.bytes)
    }
}
