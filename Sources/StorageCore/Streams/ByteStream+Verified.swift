import NIOCore

extension ByteStream {
    /// The same bytes, for a receiver that must not take wrong ones: the last chunk comes only when all of them have this digest.
    ///
    /// Where they have another one, ``StorageError/Code/corrupt`` is thrown in place of the last chunk: what was received so far can
    /// never be taken for the whole.
    public func verified(by digest: BlobDigest) -> ByteStream {
        let whole = self
        return ByteStream(length: length, isReplayable: isReplayable) {
            var verifier = Verifier(whole.makeAsyncIterator(), digest: digest)
            return { try await verifier.next() }
        }
    }
}

/// Passes chunks through one behind, so that the last leaves only after the digest of all was found right.
private struct Verifier {
    private var chunks: ByteStream.Iterator
    private var hasher: StreamingDigest?
    private let digest: BlobDigest
    private var held: ByteBuffer?
    private var isAtEnd = false

    init(_ chunks: ByteStream.Iterator, digest: BlobDigest) {
        self.chunks = chunks
        self.digest = digest
    }

    mutating func next() async throws -> ByteBuffer? {
        guard !isAtEnd else { return nil }
        let hasher = try hasher ?? StreamingDigest()
        self.hasher = hasher
        while let chunk = try await chunks.next() {
            try hasher.update(chunk)
            let ready = held
            held = chunk
            if let ready { return ready }
        }
        guard try hasher.finalize() == digest else {
            throw StorageError(.corrupt, "The bytes are not those that their digest names.")
        }
        isAtEnd = true
        return held
    }
}
