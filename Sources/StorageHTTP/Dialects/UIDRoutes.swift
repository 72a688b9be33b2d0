import HTTPTypes
import StorageCore

/// The uid dialect: whoever uploads gets a random name, and everybody who knows it reads the file.
let uidRoutes = [
    Route(.post, "/http/upload") { call in
        let principal = try await call.uploader()
        let upload = try await UIDUpload(call, principal)
        let result = try await upload.store()
        guard let record = result.record else {
            throw StorageError(.notFound, "The file was deleted while it was being stored.")
        }
        var headers = record.validators
        headers[.location] = call.location("/http/load/\(upload.uid)")
        return .json(headers: headers) { json in
            json.name("message")
            json.string("Файл сохранен под именем \(upload.uid)")
            json.name("uid")
            json.string(upload.uid.description)
            json.name("name")
            json.string(upload.file.name.text)
            json.name("size")
            json.integer(record.revision?.size ?? 0)
        }
    },
    Route(.post, "/stream/upload") { call in
        let principal = try await call.uploader()
        return UploadReport(try await UIDUpload(call, principal), call).answer()
    },
    .publicDownload("/http/load/{uid}") { try $0.link },
    .publicDownload("/stream/load/{uid}") { try $0.link },
]

/// One upload, whose file lies under its uid in a folder for its sort.
struct UIDUpload: Sendable {
    /// The public name: random, and not the id, which tells when the file was made.
    let uid = Identifier<Link>.random()
    let file: FormFile
    private let body: ByteStream
    private let call: Call
    private let principal: Principal
    private let target: NewFile

    /// Reads the form up to its file.
    ///
    /// - Throws: What can be refused before the bytes of the file are read.
    init(_ call: Call, _ principal: Principal) async throws {
        let precondition = try call.precondition()
        file = try await FormFile(call, replacing: .nothing, as: principal)
        body = try file.body()
        self.call = call
        self.principal = principal
        let kind = FileKind(name: file.name.bytes, mediaType: file.mediaType)
        let name = Array(uid.description.utf8) + file.name.fileExtension
        target = NewFile(
            path: try FilePath(kind.category).appending(name), mediaType: file.mediaType, sentName: file.name.text,
            precondition: precondition, link: .uid(uid))
        try await call.storage.admit(target, length: nil, as: principal)
    }

    /// Stores the file.
    ///
    /// - Parameter progress: Is told how many bytes came with every chunk.
    func store(_ progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> FileChangeResult {
        try await call.staging(body.observed(by: progress), as: principal, replacing: .nothing) { staged in
            try await file.finish()
            return try await call.storage.put(target, staged: staged, as: principal)
        }
    }
}

extension Call {
    /// The public name with the uid in the path, also behind an extension.
    fileprivate var link: Link {
        get throws {
            let tail = parameter.dropFirst(36)
            let isExtension = tail.first == ASCII.dot && !tail.contains { $0 == ASCII.slash || ASCII.isControl($0) }
            guard let uid = Identifier<Link>(text: parameter.prefix(36)), tail.isEmpty || isExtension
            else { throw StorageError.noSuchFile }
            return .uid(uid)
        }
    }
}

extension FileKind {
    /// The folder of this sort.
    fileprivate var category: String {
        switch self {
        case .image: "images_files"
        case .media: "media_files"
        case .text: "txt_files"
        case .other: "other_files"
        }
    }
}

extension SentName {
    /// What stands behind the last dot, with the dot; nothing for a name that begins with its only dot. A long one is none.
    fileprivate var fileExtension: ArraySlice<UInt8> {
        guard let dot = bytes.lastIndex(of: ASCII.dot), dot > bytes.startIndex else { return [] }
        let isSane = (2...32).contains(bytes.count - dot)
        return isSane ? bytes[dot...] : []
    }
}
