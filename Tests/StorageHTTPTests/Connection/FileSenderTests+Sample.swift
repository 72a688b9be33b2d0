import Glibc
import NIOCore
import Testing

extension FileSenderTests {
    /// A file without a name.
    final class Sample: Sendable {
        let descriptor: CInt
        private let path: String

        /// - Parameters:
        ///   - size: The length of the file.
        ///   - isSparse: Whether only the length matters.
        init(size: Int, isSparse: Bool = false) throws {
            var template = Array("/tmp/sample.XXXXXX".utf8CString)
            descriptor = mkstemp(&template)
            try #require(descriptor >= 0)
            unlink(template)
            path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard !isSparse else {
                try #require(ftruncate(descriptor, off_t(size)) == 0)
                return
            }
            let written = Self.bytes(0..<size).withUnsafeReadableBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, 0)
            }
            try #require(written == size)
        }

        deinit { close(descriptor) }

        /// Has the kernel drop what it has of the file in memory, where its file system can do that.
        func forget() throws {
            try #require(fsync(descriptor) == 0)
            try #require(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0)
        }

        /// How many open descriptors of this process refer to the file, its own one included.
        var openDescriptors: Int {
            (0..<4_096).count { number in
                var target = [CChar](repeating: 0, count: 256)
                let length = readlink("/proc/self/fd/\(number)", &target, target.count)
                let bytes = target.prefix(max(length, 0)).map(UInt8.init(bitPattern:))
                return length > 0 && String(decoding: bytes, as: UTF8.self).hasPrefix(path)
            }
        }

        /// The byte at offset `n` is `n` modulo 251, so that no power of two hides a wrong offset.
        static func bytes(_ range: Range<Int>) -> ByteBuffer {
            contents.getSlice(at: range.lowerBound, length: range.count) ?? ByteBuffer()
        }

        private static let contents: ByteBuffer = {
            let period = ByteBuffer(bytes: (0..<251 * 64).map { UInt8($0 % 251) })
            var contents = ByteBuffer()
            while contents.readableBytes < 24 << 20 { contents.writeImmutableBuffer(period) }
            return contents
        }()
    }
}
