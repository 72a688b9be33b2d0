import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore

/// What a request carries, before a route has decided what it is.
enum RequestContent {
    /// `multipart/form-data`.
    case form(MultipartReader)
    /// `application/json`.
    case json
    /// `application/x-www-form-urlencoded`.
    case urlEncoded
    /// Everything else: the bytes of a file.
    case raw
}

extension Call {
    /// The kind of the content by its `Content-Type`.
    func content() throws -> RequestContent {
        guard let value = headers[.contentType] else { return .raw }
        switch MediaType(parsing: value)?.essence {
        case "multipart/form-data": return .form(try form(value))
        case "application/json": return .json
        case "application/x-www-form-urlencoded": return .urlEncoded
        default:
            let isForm = Array(value.utf8).prefix(19).elementsEqual("multipart/form-data".utf8)
            return isForm ? .form(try form(value)) : .raw
        }
    }

    private func form(_ contentType: String) throws -> MultipartReader {
        let chunks = try RequestChunks(self, isStored: false)
        return MultipartReader(boundary: try MultipartBoundary(contentType: contentType)) { try await chunks.next() }
    }

    /// The body as a stream of the length that the request declares, to be stored as it is.
    ///
    /// - Throws: 415 for a content coding, 400 for a part of a file or a malformed digest.
    func body() throws -> ByteStream {
        try refusePartialContent()
        let length = contentLength
        let chunks = try RequestChunks(self, isStored: true)
        return ByteStream(length: length, isReplayable: false) { { try await chunks.next() } }
            .confirming { try chunks.confirm($0) }
    }

    /// The number of bytes that the request declares.
    var contentLength: Int64? {
        headers[.contentLength].flatMap { DecimalNumber.parse(Array($0.utf8)) }
    }

    /// The media type of a raw body. What curl says of every body that it is given without a type means nothing.
    var rawMediaType: StorageCore.MediaType? {
        let type = headers[.contentType].flatMap(MediaType.init(parsing:))
        return type?.essence == "application/x-www-form-urlencoded" ? nil : type
    }

    /// Refuses a body that is not the bytes of a whole file: one in a content coding, which is never unpacked here, and one with
    /// `Content-Range`, which would replace the file by a part of it (RFC 9110 section 14.5).
    func refusePartialContent() throws {
        guard headers[.contentRange] == nil else {
            throw Problem(
                .badRequest, "content_range", "Content-Range is not supported on uploads; send the whole file.")
        }
        guard let coding = headers[.contentEncoding] else { return }
        guard ASCII.equals(Array(coding.utf8), lowercase: "identity") else {
            throw Problem.contentEncoding
        }
    }

    /// Whether there is a body, as far as the head tells.
    var hasBody: Bool {
        contentLength ?? 0 > 0 || headers[.transferEncoding] != nil
    }

    /// A small body as a whole.
    ///
    /// - Throws: 413 beyond 16 KiB.
    func smallBody() async throws -> [UInt8] {
        let limit = FormURLEncoded.maximumBodyBytes
        if let length = contentLength, length > limit {
            throw Problem(.contentTooLarge, "too_large", "The body may have at most \(limit) bytes.")
        }
        var bytes: [UInt8] = []
        let chunks = try RequestChunks(self, isStored: false)
        while let chunk = try await chunks.next() {
            guard chunk.readableBytes <= limit - bytes.count else {
                throw Problem(.contentTooLarge, "too_large", "The body may have at most \(limit) bytes.")
            }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return bytes
    }
}

extension Problem {
    static let contentEncoding = Problem(
        .unsupportedMediaType, "content_encoding",
        "Content-Encoding is not supported on uploads; send the bytes as they are.")
}
