import HTTPTypes
import NIOCore
import StorageCore

/// Compares bytes on their way in with the digests that the client named for them.
// Guarded by its use: one task at a time reads a body, and asks for its digest behind the last byte.
final class DigestCheck: @unchecked Sendable {
    private var claims: DigestClaims
    private var sha256: SHA256Hasher?
    private var md5: MD5Hasher?

    /// - Parameter hashesContent: Whether nobody else hashes these bytes; what is stored is hashed by its store.
    init(_ claims: DigestClaims, hashesContent: Bool) throws {
        self.claims = claims
        sha256 = hashesContent ? try SHA256Hasher() : nil
        md5 = claims.md5 == nil ? nil : try MD5Hasher()
    }

    func update(_ chunk: ByteBuffer) throws {
        try sha256?.update(chunk)
        try md5?.update(chunk)
    }

    /// All bytes have come, and what the client named for them behind them.
    ///
    /// - Throws: 400 `digest_mismatch`.
    func finish(_ trailers: DigestClaims = DigestClaims()) throws {
        claims.add(trailers)
        if let hasher = md5.take() {
            guard try hasher.finalize() == claims.md5 else { throw Problem.digestMismatch }
        }
        if let hasher = sha256.take() { try confirm(try hasher.finalize()) }
    }

    /// Compares the digest that the store found.
    ///
    /// - Throws: 400 `digest_mismatch`.
    func confirm(_ digest: BlobDigest) throws {
        guard claims.sha256.allSatisfy({ BlobDigest(bytes: $0) == digest }) else { throw Problem.digestMismatch }
    }
}

extension DigestClaims {
    /// What the head of a request says of its whole content.
    init(_ fields: HTTPFields) throws(ParseError) {
        try self.init(
            representation: fields[values: .reprDigest], content: fields[values: .contentDigest],
            md5: fields[values: .contentMD5])
    }

    /// What comes behind a chunked content; `Content-MD5` has no meaning there.
    init(trailers fields: HTTPFields) throws(ParseError) {
        try self.init(representation: fields[values: .reprDigest], content: fields[values: .contentDigest])
    }

    /// What the head of a part says of the part.
    init(_ part: PartHead) throws(ParseError) {
        func lines(_ name: StaticString) -> [String] {
            part.fields.filter { ASCII.equals($0.name, lowercase: name) }.map {
                String(decoding: $0.value, as: UTF8.self)
            }
        }
        try self.init(
            representation: lines("repr-digest"), content: lines("content-digest"), md5: lines("content-md5"))
    }
}

extension MultipartReader {
    /// The bytes of the part that `nextPart` gave last, for a store that hashes them.
    ///
    /// - Throws: 400 for a malformed digest in the head of the part, 415 for a content coding.
    func body(of part: PartHead) throws -> ByteStream {
        for field in part.fields where ASCII.equals(field.name, lowercase: "content-encoding") {
            guard ASCII.equals(field.value, lowercase: "identity") else { throw Problem.contentEncoding }
        }
        let check = try DigestCheck(try DigestClaims(part), hashesContent: false)
        let stream = ByteStream(length: nil, isReplayable: false) {
            {
                guard let chunk = try await self.nextChunk() else {
                    try check.finish()
                    return nil
                }
                try check.update(chunk)
                return chunk
            }
        }
        return stream.confirming { try check.confirm($0) }
    }
}

extension MultipartReader {
    /// The whole value of the field that `nextPart` gave last.
    ///
    /// - Throws: 400 where the head of the part names another digest.
    func field(_ part: PartHead, upTo limit: Int = MultipartReader.maximumFieldBytes) async throws -> [UInt8] {
        let check = try DigestCheck(try DigestClaims(part), hashesContent: true)
        let value = try await collect(upTo: limit)
        try check.update(ByteBuffer(bytes: value))
        try check.finish()
        return value
    }

    /// Passes over a part that nobody wants; what its head says of its bytes must be true all the same.
    func skip(_ part: PartHead) async throws {
        let claims = try DigestClaims(part)
        let check = try DigestCheck(claims, hashesContent: !claims.sha256.isEmpty)
        while let chunk = try await nextChunk() { try check.update(chunk) }
        try check.finish()
    }
}

extension Problem {
    static let digestMismatch = Problem(
        .badRequest, "digest_mismatch", "The bytes that arrived do not have the digest that was sent for them.")
}
