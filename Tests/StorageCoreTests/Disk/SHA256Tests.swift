import NIOCore
import Testing

@testable import StorageCore

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4, the examples of NIST.
    static let vectors: [(message: [UInt8], digest: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test("gives the published digests, in one piece and in parts of any size", arguments: vectors)
    func publishedDigests(message: [UInt8], digest: String) throws {
        #expect(Hexadecimal.encode(try SHA256.hash(message)) == digest)
        #expect(try SHA256.digest(of: ByteBuffer(bytes: message)).hex == digest)
        for part in [1, 63, 64, 65, 1_000] where message.count < 1_000 || part == 1_000 {
            var hasher = try SHA256Hasher()
            for start in stride(from: 0, to: message.count, by: part) {
                try hasher.update(ByteBuffer(bytes: message[start..<min(start + part, message.count)]))
            }
            #expect(try hasher.finalize().hex == digest)
        }
    }

    /// RFC 4231 section 4.
    static let macs: [(key: [UInt8], message: [UInt8], mac: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ]

    @Test("gives the published authentication codes", arguments: macs)
    func publishedCodes(key: [UInt8], message: [UInt8], mac: String) throws {
        #expect(Hexadecimal.encode(try SHA256.authenticate(message, key: key)) == mac)
    }

    @Test("takes an empty key and an empty message")
    func emptyInput() throws {
        let mac = try SHA256.authenticate([], key: [])
        #expect(Hexadecimal.encode(mac) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("compares whole byte strings")
    func comparison() {
        #expect(SHA256.isEqual([], []))
        #expect(SHA256.isEqual([1, 2, 3], [1, 2, 3]))
        #expect(!SHA256.isEqual([1, 2, 3], [1, 2, 4]))
        #expect(!SHA256.isEqual([1, 2, 3], [1, 2]))
    }

    @Test("random bytes have the wanted count and do not repeat")
    func randomness() throws {
        #expect(try SHA256.randomBytes(0).isEmpty)
        let drawn = try (0..<100).map { _ in try SHA256.randomBytes(16) }
        #expect(drawn.allSatisfy { $0.count == 16 })
        #expect(Set(drawn).count == 100)
    }
}
