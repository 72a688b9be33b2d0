import NIOCore
import Testing

@testable import StorageCore

@Suite("A bounded cache")
struct LRUCacheTests {
    @Test("forgets what was not used for longest, and only that")
    func order() {
        var cache = LRUCache<Int, Int>(capacity: 3)
        for key in 1...3 { cache.insert(key * 10, for: key) }
        let used = cache.value(for: 1)
        cache.insert(40, for: 4)
        let found = (1...4).map { cache.value(for: $0) }
        #expect(used == 10)
        #expect(found == [10, nil, 30, 40])
    }

    @Test("keeps to the weight that it may have")
    func weight() {
        var cache = LRUCache<Int, Int>(capacity: 10)
        for key in 1...3 { cache.insert(key, for: key, weight: 3) }
        cache.insert(4, for: 4, weight: 5)
        let kept = (1...4).map { cache.value(for: $0) }
        #expect(kept == [nil, nil, 3, 4])
        #expect(cache.weight == 8)
        cache.insert(30, for: 3, weight: 11)
        #expect(cache.value(for: 3) == nil)
        #expect(cache.weight == 5)
        cache.insert(40, for: 4, weight: 10)
        cache.removeAll { $0 == 40 }
        #expect(cache.weight == 0)
    }

    @Test("agrees with a plain list under any sequence of calls", arguments: [1, 2, 7])
    func model(capacity: Int) {
        var cache = LRUCache<UInt8, UInt8>(capacity: capacity)
        var model: [(key: UInt8, value: UInt8)] = []
        var bytes = SampleBytes(seed: 77)
        let script = Array(bytes.next(6_000).readableBytesView)
        for step in stride(from: 0, to: script.count - 2, by: 3) {
            let (act, key, value) = (script[step] % 8, script[step + 1] % 12, script[step + 2])
            let index = model.firstIndex { $0.key == key }
            switch act {
            case 0:
                cache.remove(key)
                if let index { model.remove(at: index) }
            case 1 where value < 60:
                cache.removeAll { $0 < value }
                model.removeAll { $0.value < value }
            case 1...4:
                let found = cache.value(for: key)
                #expect(found == index.map { model[$0].value })
                if let index { model.append(model.remove(at: index)) }
            default:
                cache.insert(value, for: key)
                if let index { model.remove(at: index) }
                model.append((key, value))
                if model.count > capacity { model.removeFirst() }
            }
            #expect(cache.count == model.count)
        }
    }
}
