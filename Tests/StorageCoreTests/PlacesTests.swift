import Testing

@testable import StorageCore

@Suite("Places")
struct PlacesTests {
    @Test("are as many as were said, and free again with the last reference", arguments: [0, 1, 100])
    func count(count: Int) {
        let places = Places(count)
        for _ in 0..<2 {
            var taken = (0..<count).compactMap { _ in places.take() }
            #expect(taken.count == count)
            #expect(places.take() == nil)
            #expect(places.take() == nil)
            guard let other = taken.last else { continue }
            taken.removeLast()
            #expect(places.take() == nil)
            withExtendedLifetime(other) {}
        }
    }

    @Test("that are shared are never more than his share for one holder, nor more than all")
    func shares() {
        let places = SharedPlaces<String>(5, share: 2)
        for _ in 0..<2 {
            var ofAnn = (0..<3).compactMap { _ in places.take(for: "ann") }
            #expect(ofAnn.count == 2)
            let others = ["ben", "cat", "dan"].map { places.take(for: $0) }
            #expect(others.allSatisfy { $0 != nil })
            #expect(places.take(for: "eve") == nil)
            ofAnn.removeLast()
            let ofEve = places.take(for: "eve")
            #expect(ofEve != nil)
            #expect(places.take(for: "ann") == nil)
            withExtendedLifetime((ofAnn, others, ofEve)) {}
        }
    }
}
