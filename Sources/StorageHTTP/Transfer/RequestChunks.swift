import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore

/// The chunks of a request's body, one after the other, compared at their end with the digests that the client named for them.
// Guarded by its use: one task at a time reads a body, the connection refuses a second reader.
final class RequestChunks: @unchecked Sendable {
    private let body: RequestBody
    private let trailers: RequestTrailers?
    private let check: DigestCheck
    private var iterator: RequestBody.AsyncIterator?

    /// - Parameter isStored: The chunks go into a store as they are. It hashes them all the same, and must ask `confirm`.
    /// - Throws: 400 for a malformed digest.
    init(_ call: Call, isStored: Bool) throws {
        let fields = call.headers
        let claims = try DigestClaims(fields)
        body = call.request.body
        trailers = call.channel.flatMap { RequestTrailers($0) }
        // What is not stored is hashed here: for a digest in the head, and for one that may come behind a chunked body.
        let hashes = !isStored && (!claims.sha256.isEmpty || call.contentLength == nil)
        check = try DigestCheck(claims, hashesContent: hashes)
    }

    /// The iterator is made with the first call: that is when a waiting client is told to continue.
    ///
    /// - Throws: 400 `digest_mismatch` in place of the end.
    func next() async throws -> ByteBuffer? {
        if iterator == nil { iterator = body.makeAsyncIterator() }
        guard let chunk = try await iterator?.next() else {
            try check.finish(try DigestClaims(trailers: trailers?.fields ?? [:]))
            return nil
        }
        try check.update(chunk)
        return chunk
    }

    /// Compares the digest that the store found.
    func confirm(_ digest: BlobDigest) throws {
        try check.confirm(digest)
    }
}
