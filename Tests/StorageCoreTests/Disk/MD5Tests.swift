import NIOCore
import Testing

@testable import StorageCore

@Suite("MD5")
struct MD5Tests {
    /// RFC 1321 appendix A.5.
    static let vectors = [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ]

    @Test("gives the published digests, in one piece and in parts", arguments: vectors)
    func publishedDigests(message: String, digest: String) throws {
        let bytes = Array(message.utf8)
        for part in [1, 7, 64, 100] {
            var hasher = try MD5Hasher()
            for start in stride(from: 0, to: bytes.count, by: part) {
                try hasher.update(ByteBuffer(bytes: bytes[start..<min(start + part, bytes.count)]))
            }
            #expect(Hexadecimal.encode(try hasher.finalize()) == digest)
        }
    }
}
