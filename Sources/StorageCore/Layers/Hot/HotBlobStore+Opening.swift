import NIOCore

extension HotBlobStore {
    /// How much of a blob on its way is read at once.
    private static let chunk: Int64 = 256 << 10

    /// Opens a blob: here, where it is on its way, or in the store behind.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        if let content = await openHere(key, range: range) { return content }
        if let source = fills.source(of: key) { return content(of: source, key, range) }
        // Only who reads from the start may be about to read the whole.
        guard range?.lowerBound ?? 0 == 0 else { return try await base.open(key, range: range) }

        var own: BlobContent?
        let found = try await opening.value(for: key) {
            // It may have been fetched since the look above.
            switch fills.source(of: key) {
            case .bytes(let bytes): return .bytes(bytes)
            case .file(let fill): return .file(fill)
            case nil: break
            }
            own = try await base.open(key, range: range)
            return try await share(&own, key)
        }
        switch found {
        case .absent: return nil
        case .bytes(let bytes): return BlobContent(of: bytes, range: range)
        case .file(let fill): return content(of: .file(fill), key, range)
        case .unshared:
            if let own { return own }
            return try await base.open(key, range: range)
        }
    }

    /// What was opened in the store behind, for everybody who asked for it; has it written where that makes sense.
    private func share(_ own: inout BlobContent?, _ key: BlobKey) async throws -> Found {
        guard let content = own else { return .absent }
        guard content.range == 0..<content.size else { return .unshared }
        // Local already.
        if case .file = content.body { return .unshared }
        guard content.size <= .smallBlob else {
            guard case .file(let fill) = fills.begin(key, size: content.size, content.stream) else { return .unshared }
            return .file(fill)
        }
        let bytes: ByteBuffer
        do {
            bytes = try await content.stream.collect(upTo: Int(Int64.smallBlob))
        } catch let error as StorageError where error.code == .tooLarge {
            throw StorageError(.corrupt, "The stored bytes are more than they were.", cause: error)
        }
        own = BlobContent(size: content.size, range: content.range, body: .bytes(bytes))
        // Wrong ones are for the caller to find, who knows what to do about them.
        guard bytes.readableBytes == content.size, try SHA256.digest(of: bytes) == key.digest else { return .unshared }
        _ = fills.begin(key, size: content.size, ByteStream(bytes), inMemory: bytes)
        return .bytes(bytes)
    }

    /// Opens a blob that lies here; nil when it does not, or cannot be read.
    private func openHere(_ key: BlobKey, range: ByteRange?) async -> BlobContent? {
        let size = fills.index { $0.use(key) }
        // Until it is known what there is, the disk is asked.
        guard size != nil || !fills.hasLoaded else { return nil }
        do {
            guard let content = try await disk.open(key, range: range) else {
                // Somebody has tidied up here.
                if size != nil { fills.drop(key) }
                return nil
            }
            if let size, content.size != size { throw StorageError(.corrupt, "A copy has another size than it had.") }
            switch content.body {
            case .bytes(let bytes):
                guard content.range == 0..<content.size else { return content }
                guard try SHA256.digest(of: bytes) == key.digest else {
                    throw StorageError(.corrupt, "A copy has other bytes than its digest names.")
                }
                return BlobContent(of: bytes, range: nil)
            case .stream:
                return content
            case .file(let file, let stream):
                let whole = ongoing(stream, key, content.range)
                return BlobContent(
                    size: content.size, range: content.range, body: .file(file, stream: whole))
            }
        } catch {
            log.failed("a blob in the hot cache cannot be read", error)
            if (error as? StorageError)?.isTransient != true { await drop([key]) }
            return nil
        }
    }

    /// A part of a blob on its way.
    private func content(of source: HotFills.Source, _ key: BlobKey, _ range: ByteRange?) -> BlobContent {
        switch source {
        case .bytes(let bytes): return BlobContent(of: bytes, range: range)
        case .file(let fill):
            let part = range.map { $0.clamped(to: 0..<fill.size) } ?? 0..<fill.size
            return BlobContent(
                size: fill.size, range: part, body: .stream(ongoing(stream(of: fill, part), key, part)))
        }
    }

    /// A part of a blob on its way, as far as it comes.
    private func stream(of fill: HotFill, _ part: ByteRange) -> ByteStream {
        ByteStream(length: part.upperBound - part.lowerBound, isReplayable: true) { [disk] in
            var position = part.lowerBound
            return {
                guard position < part.upperBound else { return nil }
                switch try await fill.wait(beyond: position) {
                case .failed:
                    throw StorageError(.unavailable, "The blob did not come to its end.", isTransient: true)
                case .written(let file, let end):
                    let count = min(min(end, part.upperBound) - position, Self.chunk)
                    let bytes = try await disk.bytes(of: file, at: position, count: Int(count))
                    position += count
                    return bytes
                }
            }
        }
    }

    /// The same bytes, which go on from the store behind when those from here end early.
    private func ongoing(_ chunks: ByteStream, _ key: BlobKey, _ part: ByteRange) -> ByteStream {
        ByteStream(length: part.upperBound - part.lowerBound, isReplayable: true) { [base, log] in
            var position = part.lowerBound
            var iterator = chunks.makeAsyncIterator()
            var isHere = true
            return {
                do {
                    let chunk = try await iterator.next()
                    position += Int64(chunk?.readableBytes ?? 0)
                    return chunk
                } catch {
                    guard isHere, !Task.isCancelled else { throw error }
                    log.failed("a blob in the hot cache ended early", error)
                }
                isHere = false
                guard let rest = try await base.open(key, range: position..<part.upperBound),
                    rest.range == position..<part.upperBound
                else {
                    throw StorageError(.unavailable, "The rest of the blob is not to be had.", isTransient: true)
                }
                iterator = rest.stream.makeAsyncIterator()
                let chunk = try await iterator.next()
                position += Int64(chunk?.readableBytes ?? 0)
                return chunk
            }
        }
    }
}
