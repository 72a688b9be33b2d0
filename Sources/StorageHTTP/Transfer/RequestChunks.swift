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
    /// Somebody will know the digest of all bytes, so that one which comes behind them can be compared.
    private let readsTrailers: Bool
    private var iterator: RequestBody.AsyncIterator?

    /// - Parameter isStored: The chunks go into a store as they are. It hashes them all the same, and must ask `confirm`.
    /// - Throws: 400 for a malformed digest.
    init(_ call: Call, isStored: Bool) throws {
        let fields = call.headers
        let claims = try DigestClaims(fields)
        body = call.request.body
        trailers = call.channel.flatMap { RequestTrailers($0) }
        // What is not stored is hashed here, and only for somebody who will tell its digest: a trailer must have been announced.
        let hashes = !isStored && (!claims.sha256.isEmpty || Self.announcesDigest(fields[values: .trailer]))
        readsTrailers = isStored || hashes
        check = try DigestCheck(claims, hashesContent: hashes)
    }

    /// The iterator is made with the first call: that is when a waiting client is told to continue.
    ///
    /// - Throws: 400 `digest_mismatch` in place of the end.
    func next() async throws -> ByteBuffer? {
        if iterator == nil { iterator = body.makeAsyncIterator() }
        guard let chunk = try await iterator?.next() else {
            let claims = try DigestClaims(trailers: trailers?.fields ?? [:])
            guard readsTrailers || claims.sha256.isEmpty else { throw Self.unannounced }
            try check.finish(claims)
            return nil
        }
        try check.update(chunk)
        return chunk
    }

    /// Compares the digest that the store found.
    func confirm(_ digest: BlobDigest) throws {
        try check.confirm(digest)
    }

    private static let unannounced = ParseError(
        .invalidDigest, "A digest behind the body must be announced: Trailer: Repr-Digest or Content-Digest.")

    private static func announcesDigest(_ lines: [String]) -> Bool {
        lines.contains { line in
            Array(line.utf8).split(separator: ASCII.comma).contains { name in
                let name = ASCII.trimmed(name)
                return ASCII.equals(name, lowercase: "repr-digest") || ASCII.equals(name, lowercase: "content-digest")
            }
        }
    }
}
