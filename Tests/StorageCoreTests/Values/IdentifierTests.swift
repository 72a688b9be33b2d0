import StorageCore
import Testing

@Suite("Identifier")
struct IdentifierTests {
    private typealias ID = Identifier<IdentifierTests>

    @Test("New identifiers are UUIDs of version 7 with the time of their making")
    func versionSeven() {
        let before = UInt64(Timestamp.now().microseconds / 1_000)
        let id = ID()
        let after = UInt64(Timestamp.now().microseconds / 1_000)
        #expect((before...after).contains(id.high >> 16))
        #expect(id.bytes[6] >> 4 == 7)
        #expect(id.bytes[8] >> 6 == 0b10)
    }

    @Test("Random identifiers are UUIDs of version 4")
    func versionFour() {
        for _ in 0..<100 {
            let id = ID.random()
            #expect(id.bytes[6] >> 4 == 4)
            #expect(id.bytes[8] >> 6 == 0b10)
        }
    }

    @Test("Identifiers do not repeat")
    func unique() {
        #expect(Set((0..<10_000).map { _ in ID() }).count == 10_000)
        #expect(Set((0..<10_000).map { _ in ID.random() }).count == 10_000)
    }

    @Test("Bytes and text of an identifier lead back to it")
    func roundTrip() {
        for id in [ID(), .random(), ID(high: 0, low: 0), ID(high: .max, low: .max), ID(high: 1, low: 1 << 63)] {
            #expect(ID(bytes: id.bytes) == id)
            #expect(ID(text: Array(id.description.utf8)) == id)
            #expect(id.description.utf8.count == 36)
        }
    }

    @Test("Either case is read, lower case is written")
    func cases() throws {
        let text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        let id = try #require(ID(text: Array(text.uppercased().utf8)))
        #expect(id.description == text)
        #expect(id == ID(high: 0xF81D_4FAE_7DEC_11D0, low: 0xA765_00A0_C91E_6BF6))
    }

    static let notCanonical: [String] = [
        "", "f81d4fae7dec11d0a76500a0c91e6bf6", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf60",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bfg", "f81d4fae-7dec-11d0-a76500a0-c91e6bf6",
        "f81d4fae_7dec_11d0_a765_00a0c91e6bf6",
        " f81d4fae-7dec-11d0-a765-00a0c91e6bf", "f81d4fae-7dec-11d0-a765-00a0c91e6bf\n",
        "f81d4fae-7dec-11d0-a765-00a0c91e6b\u{E9}",
        "f81d4fae-7dec-11d0-a765-00a0c91e6\u{FF11}", "f81d4fae-7dec-11d0-a765-+0a0c91e6bf6",
        "f81d4fae--dec-11d0-a765-00a0c91e6bf6",
        "------------------------------------", "f81d4fae-7dec-11d0-a765-0x00c91e6bf6",
    ]

    @Test("Any other form than the canonical one is no identifier", arguments: notCanonical)
    func refuses(_ text: String) {
        #expect(ID(text: Array(text.utf8)) == nil)
    }

    @Test("Only sixteen bytes are an identifier", arguments: [0, 1, 15, 17, 32])
    func refusesCount(_ count: Int) {
        #expect(ID(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test("Order is the order of the bytes")
    func order() {
        let ids = (0..<500).map { _ in ID.random() }
        #expect(ids.sorted().map(\.bytes) == ids.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test("Nil and max are known, and no container token is either")
    func specialValues() throws {
        let (zero, max) = (ID(high: 0, low: 0), ID(high: .max, low: .max))
        #expect(zero.isNil && !zero.isMax)
        #expect(max.isMax && !max.isNil)
        #expect(!ID().isNil && !ID().isMax)
        #expect(ContainerToken(zero.reinterpreted()) == nil)
        #expect(ContainerToken(max.reinterpreted()) == nil)
        #expect(ContainerToken(Identifier(high: 0, low: 1))?.uuid == Identifier(high: 0, low: 1))
    }
}
