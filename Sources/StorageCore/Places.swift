import Synchronization

/// A fixed number of places for work that takes memory or time: one is given at once, or not at all.
package final class Places: Sendable {
    /// A place that is taken; free again with its last reference.
    package final class Place: Sendable {
        private let places: Places

        fileprivate init(_ places: Places) {
            self.places = places
        }

        deinit {
            places.taken.subtract(1, ordering: .relaxed)
        }
    }

    private let count: Int
    private let taken = Atomic<Int>(0)

    /// - Parameter count: How many there are.
    package init(_ count: Int) {
        self.count = count
    }

    /// Takes a place; nil where all are taken.
    package func take() -> Place? {
        guard taken.add(1, ordering: .relaxed).newValue <= count else {
            taken.subtract(1, ordering: .relaxed)
            return nil
        }
        return Place(self)
    }
}
