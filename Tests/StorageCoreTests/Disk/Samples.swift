import Glibc
import NIOCore
import Synchronization
import Testing

@testable import StorageCore

/// Bytes that look like nothing and are the same for the same seed.
struct SampleBytes {
    private static let block: ByteBuffer = {
        var buffer = ByteBuffer()
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<16_384 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer.writeInteger(state)
        }
        return buffer
    }()

    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    /// The next bytes: a few that only this place has, and parts of one block, which is quick.
    mutating func next(_ count: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count + Self.block.readableBytes)
        while buffer.readableBytes < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            buffer.writeInteger(state)
            let rest = min(count, Self.block.readableBytes - Int(state >> 56))
            if let part = Self.block.getSlice(at: Int(state >> 56), length: rest) { buffer.writeImmutableBuffer(part) }
        }
        return buffer.readSlice(length: count) ?? buffer
    }
}

struct ClientLeft: Error {}

/// A number that several tasks may change.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .sequentiallyConsistent) }

    @discardableResult
    func increment() -> Int { number.add(1, ordering: .sequentiallyConsistent).newValue }

    func raise(to value: Int) { number.max(value, ordering: .sequentiallyConsistent) }
}

extension ByteStream {
    /// A body of chunks of this many bytes each, which throws after the last when it should.
    static func chunks(_ counts: [Int], seed: UInt64 = 1, length: Int64?, failing: Bool = false) -> ByteStream {
        ByteStream(length: length, isReplayable: true) {
            var rest = counts[...]
            var bytes = SampleBytes(seed: seed)
            return {
                guard let count = rest.popFirst() else {
                    if failing { throw ClientLeft() }
                    return nil
                }
                return bytes.next(count)
            }
        }
    }

    /// All bytes of a body.
    func bytes() async throws -> [UInt8] {
        Array((try await collect(upTo: .max)).readableBytesView)
    }
}

extension LocalDiskBlobStore {
    static func open(
        _ directory: TemporaryDirectory, unnamed: Bool = true, openat2: Bool = true
    ) async throws -> LocalDiskBlobStore {
        var configuration = Configuration()
        configuration.allowsUnnamedFiles = unnamed
        configuration.allowsOpenat2 = openat2
        return try await open(directory: directory.path, configuration: configuration)
    }

    /// Stores a body under the key of its digest.
    @discardableResult
    func put(_ body: ByteStream, space: Space = .shared, generation: Int64 = 0) async throws -> BlobKey {
        let staged = try await stage(body)
        let key = BlobKey(space: space, digest: staged.digest, generation: generation)
        try await publish(staged, as: key)
        await discard(staged)
        return key
    }
}

extension BlobContent {
    /// The bytes of the part, read to the end.
    func bytes() async throws -> [UInt8] {
        switch body {
        case .bytes(let buffer):
            return Array(buffer.readableBytesView)
        case .stream(let stream):
            return try await stream.bytes()
        case .file(let file, let stream):
            let streamed = try await stream.bytes()
            var bytes = [UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound))
            var done = 0
            while done < bytes.count {
                let offset = Int(range.lowerBound) + done
                let count = bytes[done...].withUnsafeMutableBytes {
                    pread(file.descriptor, $0.baseAddress, $0.count, offset)
                }
                guard count > 0 else { break }
                done += count
            }
            #expect(Array(bytes[..<done]) == streamed)
            return Array(bytes[..<done])
        }
    }
}

/// The code of the error that a body throws; nil when it throws none.
func codeThrown(_ body: () async throws -> Void) async -> StorageError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StorageError)?.code
    }
}
