import StorageCore

/// The file of a form: the first part with the name of one, whatever its field is called.
struct FormFile: Sendable {
    /// The name that it was sent under.
    let name: SentName
    /// What its part says that it is; else as the name says.
    let mediaType: MediaType

    private let form: MultipartReader
    private let part: PartHead

    /// Reads a form up to the first byte of its file.
    ///
    /// - Parameter replaced: What is known of the file that it is going to replace.
    /// - Throws: 422 for content that is no form or has no file, 400 for one that is not well formed, 507 for one that has no room.
    init(_ call: Call, replacing replaced: Replacement, as principal: Principal) async throws {
        let form: MultipartReader
        switch try call.content() {
        case .form(let content): form = content
        case .json:
            _ = try JSONBody.parse(try await call.smallBody())
            throw Self.missing
        case .urlEncoded, .raw: throw Self.missing
        }
        try call.refusePartialContent()
        try await call.admitForm(replacing: replaced, as: principal)
        while let part = try await form.nextPart() {
            guard let filename = part.filename, !filename.isEmpty else {
                _ = try await form.field(part)
                continue
            }
            let name = try SentName(filename)
            self.form = form
            self.part = part
            self.name = name
            mediaType = part.mediaType ?? .ofName(name.bytes)
            return
        }
        throw Self.missing
    }

    /// The bytes of the file; to be read once, and before ``finish()``.
    func body() throws -> ByteStream {
        try form.body(of: part)
    }

    /// Reads the rest of the form: one that breaks off must leave nothing.
    func finish() async throws {
        while let part = try await form.nextPart() {
            if part.filename == nil {
                _ = try await form.field(part)
            } else {
                try await form.skip(part)
            }
        }
    }

    private static let missing = StorageError(
        .unprocessable, "file: is missing; send it as a part of a multipart/form-data body, with a filename.")
}

extension Call {
    /// Refuses a form with a file that is longer than allowed, or has no room; read or not, it would end so.
    ///
    /// - Throws: 413, 507.
    func admitForm(replacing replaced: Replacement, as principal: Principal) async throws {
        // More than what a form may have beside the file.
        let largestFraming: Int64 = 2 << 20
        let length = contentLength.map { $0 - min($0, largestFraming) }
        try refuseLong(length)
        try await storage.admitRoom(for: length ?? 0, replacing: replaced, as: principal)
    }

    /// Refuses a body that is longer than a file may be, where its length is known before its first byte.
    ///
    /// - Throws: 413.
    func refuseLong(_ length: Int64?) throws {
        let limit = storage.policy.uploadSize
        guard let length, length > limit else { return }
        throw StorageError(.tooLarge, "The body is larger than the limit of \(limit) bytes.")
    }

    /// Takes a body in, hands it to `store`, and gives back what it held, whatever comes of it.
    func staging<Result>(
        _ body: ByteStream, as principal: Principal, replacing replaced: Replacement,
        _ store: (StagedUpload) async throws -> Result
    ) async throws -> Result {
        let staged = try await storage.stage(body, as: principal, replacing: replaced)
        do {
            let result = try await store(staged)
            await storage.discard(staged)
            return result
        } catch {
            await storage.discard(staged)
            throw error
        }
    }
}
