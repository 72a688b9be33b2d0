import NIOCore

/// Reading bytes that were taken in and not published: how a store in front of something slower sends them on from here.
extension LocalDiskBlobStore {
    /// A part of a staged body as a stream, all of it unless told; again and again, and at once with others.
    ///
    /// A range beyond the size is cut to it. The stream fails when the body was given back before a pass over it began, and stays
    /// readable to its end when that happens later.
    package func stream(of staged: StagedBlob, range: ByteRange? = nil) -> ByteStream {
        let part = Self.clamp(range, to: staged.size)
        return ByteStream(length: part.upperBound - part.lowerBound, isReplayable: true) {
            var chunks: ByteStream.Iterator?
            return {
                var iterator = try chunks ?? self.chunks(of: self.opened(staged), part).makeAsyncIterator()
                defer { chunks = iterator }
                return try await iterator.next()
            }
        }
    }

    /// The digest of a part of a staged body.
    package func digest(of staged: StagedBlob, range: ByteRange) async throws -> BlobDigest {
        let part = Self.clamp(range, to: staged.size)
        let file = try opened(staged)
        return try await writing.runRegardless {
            try self.translating {
                var hasher = try SHA256Hasher()
                var position = part.lowerBound
                while position < part.upperBound {
                    let count = Int(min(part.upperBound - position, 256 << 10))
                    try hasher.update(try Self.bytes(of: file, at: position, count: count))
                    position += Int64(count)
                }
                return try hasher.finalize()
            }
        }
    }

    private func opened(_ staged: StagedBlob) throws -> OpenFile {
        guard let file = staged.handle as? StagingFile, file.belongs(to: directory) else {
            throw StorageError(.internal, "The body was taken in by another store.")
        }
        return try file.opened()
    }
}
