internal import CLinux
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension LocalDiskBlobStore {
    /// How much is read at once where a larger part passes through memory.
    private static let chunk: Int64 = 256 << 10
    /// How much of a larger part is asked for ahead.
    private static let readAhead: Int64 = 1 << 20

    /// Opens a blob: at once when the kernel has it in its caches, on a thread of the store when the disk must be asked.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        let name = key.name
        let cached: OpenFile?
        switch directory.openCached(name, linux_open_read) {
        case .absent: return nil
        case .opened(let file):
            if let content = try translating({ try self.cachedContent(of: file, range: range) }) { return content }
            cached = file
        case .unknown: cached = nil
        }
        return try await reading.run {
            try self.translating {
                guard let file = try cached ?? self.directory.openIfPresent(name, linux_open_read) else { return nil }
                return try self.content(of: file, range: range)
            }
        }
    }

    /// Looks for the folder of the blobs in the directory: a disk may be gone while the server runs.
    public func ping() async throws {
        try await reading.run {
            try self.translating {
                guard try self.directory.openIfPresent("store", linux_open_directory) != nil else {
                    throw StorageError(.unavailable, "The store's directory is gone.")
                }
            }
        }
    }

    /// The size of a blob, by the same two ways.
    public func info(for key: BlobKey) async throws -> BlobInfo? {
        let name = key.name
        switch directory.openCached(name, linux_open_path) {
        case .absent: return nil
        case .opened(let file): return try translating { BlobInfo(size: try Self.size(of: file)) }
        case .unknown: break
        }
        return try await reading.run {
            try self.translating {
                guard let file = try self.directory.openIfPresent(name, linux_open_path) else { return nil }
                return BlobInfo(size: try Self.size(of: file))
            }
        }
    }

    private static func size(of file: OpenFile) throws -> Int64 {
        let status = try StoreDirectory.status(of: file)
        guard status.is_file != 0 else {
            throw StorageError(.corrupt, "What is stored under this key is not a blob.")
        }
        return status.size
    }

    /// The content as far as the page cache has it; nil when the disk must be asked. Never blocks.
    private func cachedContent(of file: OpenFile, range: ByteRange?) throws -> BlobContent? {
        let size = try Self.size(of: file)
        let part = Self.clamp(range, to: size)
        guard part.upperBound - part.lowerBound <= .smallBlob else {
            var first: UInt8 = 0
            // When the beginning is there the rest is most likely too; if not, nobody should wait for it on an event loop.
            guard linux_pread_cached(file.descriptor, &first, 1, part.lowerBound) == 1 else { return nil }
            return BlobContent(size: size, range: part, body: .file(file, stream: chunks(of: file, part)))
        }
        let bytes = Self.cachedBytes(of: file, at: part.lowerBound, count: Int(part.upperBound - part.lowerBound))
        return bytes.map { BlobContent(size: size, range: part, body: .bytes($0)) }
    }

    /// The bytes, if the page cache has them all. Never blocks.
    static func cachedBytes(of file: OpenFile, at offset: Int64, count: Int) -> ByteBuffer? {
        var bytes = ByteBuffer()
        guard count > 0 else { return bytes }
        bytes.reserveCapacity(count)
        let read = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            max(0, linux_pread_cached(file.descriptor, space.baseAddress, count, offset))
        }
        return read == count ? bytes : nil
    }

    /// The content, whatever it takes; blocks.
    private func content(of file: OpenFile, range: ByteRange?) throws -> BlobContent {
        let size = try Self.size(of: file)
        let part = Self.clamp(range, to: size)
        let count = part.upperBound - part.lowerBound
        guard count <= .smallBlob else {
            _ = linux_will_need(file.descriptor, part.lowerBound, min(count, Self.readAhead))
            // Waits for the first page, so that whoever sends the file does not.
            _ = try Self.bytes(of: file, at: part.lowerBound, count: 1)
            return BlobContent(size: size, range: part, body: .file(file, stream: chunks(of: file, part)))
        }
        return BlobContent(
            size: size, range: part, body: .bytes(try Self.bytes(of: file, at: part.lowerBound, count: Int(count))))
    }

    /// The part as chunks, each read when it is asked for.
    func chunks(of file: OpenFile, _ part: ByteRange) -> ByteStream {
        ByteStream(length: part.upperBound - part.lowerBound, isReplayable: true) { [reading] in
            var position = part.lowerBound
            return {
                let count = min(part.upperBound - position, Self.chunk)
                guard count > 0 else { return nil }
                let start = position
                position += count
                // Not counted: there is one for each download that was opened.
                return try await reading.runRegardless {
                    try self.translating { try Self.bytes(of: file, at: start, count: Int(count)) }
                }
            }
        }
    }

    static func bytes(of file: OpenFile, at offset: Int64, count: Int) throws -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(count)
        while bytes.readableBytes < count {
            let rest = count - bytes.readableBytes
            let position = offset + Int64(bytes.readableBytes)
            let read = try bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { space in
                try SystemCallError.check("pread", linux_pread(file.descriptor, space.baseAddress, rest, position))
            }
            guard read > 0 else { throw StorageError(.corrupt, "The stored bytes are fewer than they were.") }
        }
        return bytes
    }

    static func clamp(_ range: ByteRange?, to size: Int64) -> ByteRange {
        range.map { $0.clamped(to: 0..<size) } ?? 0..<size
    }
}
