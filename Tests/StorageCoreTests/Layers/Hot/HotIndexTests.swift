import StorageTesting
import Testing

@testable import StorageCore

@Suite("HotIndex")
struct HotIndexTests {
    private static let keys = (0..<64).map { _ in BlobKey(space: .shared, digest: .random()) }
    private static let block: Int64 = 4_096

    @Test("lets those go first that were not used for longest")
    func order() throws {
        var index = HotIndex(capacity: 8 * Self.block)
        let keys = Self.keys
        // Each takes two blocks: one for the bytes and one for the name.
        for key in keys[0..<4] {
            #expect(index.reserve(key, size: 1) == [])
            let stays = index.complete(key, size: 1)
            #expect(stays)
        }
        #expect(index.use(keys[0]) == 1)
        #expect(index.reserve(keys[4], size: 1) == [keys[1]])
        #expect(index.reserve(keys[5], size: 1) == [keys[2]])
        #expect(index.use(keys[1]) == nil)
        #expect(index.use(keys[0]) == 1)
    }

    @Test("keeps nothing that would take more than a quarter")
    func large() {
        var index = HotIndex(capacity: 16 * Self.block)
        #expect(index.reserve(Self.keys[0], size: 3 * Self.block + 1) == nil)
        #expect(index.reserve(Self.keys[0], size: 3 * Self.block) == [])
        #expect(index.reserve(Self.keys[1], size: .max) == nil)
        var none = HotIndex(capacity: 0)
        #expect(none.reserve(Self.keys[0], size: 0) == nil)
    }

    @Test("does not let more begin than there is room for, whatever goes")
    func reservations() {
        var index = HotIndex(capacity: 8 * Self.block)
        for key in Self.keys[0..<4] { #expect(index.reserve(key, size: 1) == []) }
        #expect(index.reserve(Self.keys[4], size: 1) == nil)
        index.release(Self.keys[0])
        #expect(index.reserve(Self.keys[4], size: 1) == [])
    }

    @Test("does not keep what was dropped on its way")
    func dropped() {
        var index = HotIndex(capacity: 1 << 20)
        #expect(index.reserve(Self.keys[0], size: 1) == [])
        index.drop(Self.keys[0])
        #expect(index.reserve(Self.keys[0], size: 1) == nil)
        let stays = index.complete(Self.keys[0], size: 1)
        #expect(!stays)
        #expect(index.used == 0)
        #expect(index.reserve(Self.keys[0], size: 1) == [])
    }

    @Test("never holds more than its capacity, and knows what it holds", arguments: 0..<20 as Range<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var index = HotIndex(capacity: 40 * Self.block)
        var there: [BlobKey: Int64] = [:]
        var coming: [BlobKey: (size: Int64, isWanted: Bool)] = [:]
        func weight(_ size: Int64) -> Int64 { HotIndex.weight(of: size) }
        for _ in 0..<3_000 {
            let key = Self.keys[Int.random(in: 0..<Self.keys.count, using: &generator)]
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1:
                let size = Int64.random(in: 0..<60_000, using: &generator)
                if let gone = index.reserve(key, size: size) {
                    #expect(there[key] == nil && coming[key] == nil)
                    for key in gone { #expect(there.removeValue(forKey: key) != nil) }
                    coming[key] = (size, true)
                }
            case 2:
                let expected = coming.removeValue(forKey: key)
                let stays = index.complete(key, size: expected?.size ?? 0)
                #expect(stays == (expected?.isWanted ?? false))
                if let expected, stays { there[key] = expected.size }
            case 3:
                index.release(key)
                coming[key] = nil
            case 4:
                index.drop(key)
                there[key] = nil
                coming[key]?.isWanted = false
            default:
                #expect(index.use(key) == there[key])
            }
            let used = there.values.reduce(0) { $0 + weight($1) } + coming.values.reduce(0) { $0 + weight($1.size) }
            #expect(index.used == used)
            #expect(used <= index.capacity)
            #expect(index.count == there.count)
        }
    }
}
