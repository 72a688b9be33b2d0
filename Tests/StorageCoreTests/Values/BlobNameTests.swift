import StorageCore
import StorageTesting
import Testing

@Suite("BlobDigest")
struct BlobDigestTests {
    private static let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test("Bytes and hex digits of a digest lead back to it")
    func roundTrip() throws {
        for _ in 0..<100 {
            let digest = BlobDigest.random()
            #expect(BlobDigest(bytes: digest.bytes) == digest)
            #expect(BlobDigest(hex: Array(digest.hex.utf8)) == digest)
            #expect(digest.hex.utf8.count == 64)
            #expect(digest.hex.utf8.prefix(2).elementsEqual(digest.prefix.utf8))
            #expect(digest.description == digest.hex)
        }
    }

    @Test("Either case is read, lower case is written")
    func cases() throws {
        let digest = try #require(BlobDigest(hex: Array(Self.hex.uppercased().utf8)))
        #expect(digest.hex == Self.hex)
        #expect(digest.prefix == "ba")
        #expect(digest.bytes.first == 0xBA)
        #expect(digest.bytes.last == 0xAD)
    }

    static let notHex: [String] = [
        "", "ba", String(hex.dropLast()), hex + "0", hex.dropLast() + "g", " " + hex.dropFirst(), hex.dropLast() + "\n",
        "0x" + hex.dropFirst(2), "../" + hex.dropFirst(3), "ba/" + hex.dropFirst(3), hex.dropLast(3) + "\u{FF11}",
        hex.dropLast(2) + "\u{661}", hex.dropLast() + "\0", String(repeating: "%", count: 64),
        String(repeating: "-", count: 64),
        String(repeating: "\u{FF26}", count: 64),
    ]

    @Test("Anything but 64 ASCII hex digits is no digest", arguments: notHex)
    func refuses(_ text: String) {
        #expect(BlobDigest(hex: Array(text.utf8)) == nil)
    }

    @Test("Only 32 bytes are a digest", arguments: [0, 1, 16, 31, 33, 64])
    func refusesCount(_ count: Int) {
        #expect(BlobDigest(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test("Digests that differ in one bit differ")
    func differs() throws {
        let digest = BlobDigest.random()
        for index in 0..<256 {
            var bytes = digest.bytes
            bytes[index / 8] ^= 1 << UInt8(index % 8)
            #expect(try #require(BlobDigest(bytes: bytes)) != digest)
        }
    }
}

@Suite("BlobKey")
struct BlobKeyTests {
    private static let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    private static let id = "0190a5b2-7c3d-7e4f-8a1b-0c2d3e4f5a6b"

    @Test("Names have the documented form")
    func names() throws {
        let digest = try #require(BlobDigest(hex: Array(Self.hex.utf8)))
        let space = Space(id: try #require(ContainerID(text: Array(Self.id.utf8))))
        #expect(BlobKey(space: .shared, digest: digest).name == "store/ba/\(Self.hex)")
        #expect(BlobKey(space: .shared, digest: digest, generation: 7).name == "store/ba/\(Self.hex).7")
        #expect(BlobKey(space: space, digest: digest).name == "containers/\(Self.id)/ba/\(Self.hex)")
        #expect(
            BlobKey(space: space, digest: digest, generation: .max).name
                == "containers/\(Self.id)/ba/\(Self.hex).9223372036854775807")
    }

    @Test("A name leads back to its key")
    func roundTrip() {
        for _ in 0..<200 {
            for space in [Space.shared, Space(id: .random()), Space(id: ContainerID())] {
                for generation in [0, 1, BlobKey.newGeneration(), .max] {
                    let key = BlobKey(space: space, digest: .random(), generation: generation)
                    #expect(BlobKey(name: Array(key.name.utf8)) == key)
                    #expect(key.name == "\(key.folder)/\(key.leaf)")
                }
            }
        }
    }

    static let evil: [String] = [
        "", "/", "store", "store/", "store/ba", "store/ba/", "store/ba/x", "/store/ba/\(hex)", "store/ba/\(hex)/",
        "store//\(hex)",
        "store/bb/\(hex)", "store/BA/\(hex)", "store/ba/\(hex.uppercased())", "Store/ba/\(hex)", "store/b/\(hex)",
        "store/\(hex)",
        "store/ba/../ba/\(hex)", "store/../store/ba/\(hex)", "../store/ba/\(hex)", "./store/ba/\(hex)",
        "store/ba/\(hex).",
        "store/ba/\(hex).0", "store/ba/\(hex).00", "store/ba/\(hex).07", "store/ba/\(hex).-1", "store/ba/\(hex).+1",
        "store/ba/\(hex).1.2", "store/ba/\(hex).1 ", "store/ba/\(hex).9223372036854775808", "store/ba/\(hex).\u{661}",
        "store/ba/\(hex).99999999999999999999999999", "store/ba/\(hex)x", "store/ba/\(hex)0", "store/ba/\(hex).tmp",
        "store/ba/\(hex)\0", "store/ba/\(hex)\n", "store/ba\\\(hex)", "store/ba/\(hex.dropLast())", "blobs/ba/\(hex)",
        "containers/ba/\(hex)", "containers/\(id)/\(hex)", "containers/\(id)/bb/\(hex)", "containers//ba/\(hex)",
        "containers/\(id.uppercased())/ba/\(hex)", "containers/{\(id)}/ba/\(hex)", "containers/../ba/\(hex)",
        "containers/00000000-0000-0000-0000-000000000000/ba/\(hex)", "containers/\(id)/ba/\(hex)/x",
        "store/\(id)/ba/\(hex)",
        "containers/\(id)/ba/../ba/\(hex)", "store/ba/\(hex)\u{301}", "store/\u{301}ba/\(hex)", "store.id",
        "lost+found",
    ]

    @Test("Any other form of name is no key", arguments: evil)
    func refuses(_ name: String) {
        #expect(BlobKey(name: Array(name.utf8)) == nil)
    }

    @Test("Keys are ordered as a bucket lists their names")
    func order() {
        let keys = (0..<300).map { index in
            BlobKey(
                space: index % 3 == 0 ? .shared : Space(id: .random()), digest: .random(),
                generation: index % 2 == 0 ? 0 : BlobKey.newGeneration())
        }
        let byName = keys.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        #expect(keys.sorted() == byName)
    }

    @Test("New generations are positive and do not repeat")
    func generations() {
        let generations = (0..<1_000).map { _ in BlobKey.newGeneration() }
        #expect(generations.allSatisfy { $0 > 0 })
        #expect(Set(generations).count == 1_000)
    }
}
