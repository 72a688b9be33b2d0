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
    /// - Throws: 422 for content that is no form or has no file, 400 for one that is not well formed.
    init(_ call: Call) async throws {
        let form: MultipartReader
        switch try call.content() {
        case .form(let content): form = content
        case .json:
            _ = try JSONBody.parse(try await call.smallBody())
            throw Self.missing
        case .urlEncoded, .raw: throw Self.missing
        }
        try call.refusePartialContent()
        try call.refuseLongForm()
        while let part = try await form.nextPart() {
            guard let filename = part.filename, !filename.isEmpty else {
                _ = try await form.collect()
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
            if part.filename == nil { _ = try await form.collect() }
        }
    }

    private static let missing = StorageError(
        .unprocessable, "file: is missing; send it as a part of a multipart/form-data body, with a filename.")
}

extension Call {
    /// Refuses a form that is longer than any with a file that is allowed; read or not, it would end so.
    ///
    /// - Throws: 413.
    func refuseLongForm() throws {
        // More than what a form may have beside the file.
        let largestFraming: Int64 = 2 << 20
        try refuseLong(contentLength.map { $0 - min($0, largestFraming) })
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
        _ body: ByteStream, as principal: Principal, _ store: (StagedUpload) async throws -> Result
    ) async throws -> Result {
        let staged = try await storage.stage(body, as: principal)
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
