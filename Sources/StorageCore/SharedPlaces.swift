import Synchronization

/// A fixed number of places for work that takes memory or time, of which nobody has more than a share: one is given at once, or not at
/// all.
package final class SharedPlaces<Holder: Hashable & Sendable>: Sendable {
    /// A place that is taken; free again with its last reference.
    package final class Place: Sendable {
        private let places: SharedPlaces
        private let holder: Holder

        fileprivate init(_ places: SharedPlaces, _ holder: Holder) {
            self.places = places
            self.holder = holder
        }

        deinit {
            places.free(holder)
        }
    }

    private struct Taken {
        var count = 0
        var byHolder: [Holder: Int] = [:]
    }

    private let count: Int
    private let share: Int
    private let taken = Mutex(Taken())

    /// - Parameters:
    ///   - count: How many there are.
    ///   - share: How many of them one holder may have.
    package init(_ count: Int, share: Int) {
        self.count = count
        self.share = share
    }

    /// Takes a place; nil where all are taken, or as many as the holder may have.
    package func take(for holder: Holder) -> Place? {
        let isFree = taken.withLock { taken in
            let own = taken.byHolder[holder, default: 0]
            guard taken.count < count, own < share else { return false }
            taken.count += 1
            taken.byHolder[holder] = own + 1
            return true
        }
        return isFree ? Place(self, holder) : nil
    }

    private func free(_ holder: Holder) {
        taken.withLock { taken in
            taken.count -= 1
            let rest = taken.byHolder[holder, default: 1] - 1
            taken.byHolder[holder] = rest > 0 ? rest : nil
        }
    }
}
