import Synchronization

/// Tells whether there is room for a body before its first byte is read.
///
/// Remembers for a second that there was plenty, so that a small upload need not ask the disk.
final class SpaceGauge: Sendable {
    private struct Reading {
        var available: Int64
        var moment: ContinuousClock.Instant
    }

    private static let plenty: Int64 = 1 << 30

    private let reserve: Int64
    private let last = Mutex<Reading?>(nil)

    /// Measures against this many bytes that must stay free.
    init(reserve: Int64) {
        self.reserve = max(0, reserve)
    }

    /// Whether there certainly is room for the bytes, without asking the disk.
    func hasPlenty(for length: Int64?) -> Bool {
        guard let reading = last.withLock({ $0 }), reading.moment.duration(to: .now) < .seconds(1) else { return false }
        return fits(length, in: reading.available - Self.plenty)
    }

    /// Asks the disk; blocks.
    ///
    /// - Throws: ``StorageError/Code/insufficientStorage`` when the bytes do not fit.
    func check(_ length: Int64?, in directory: StoreDirectory) throws {
        let available = try directory.availableBytes()
        last.withLock { $0 = Reading(available: available, moment: .now) }
        guard fits(length, in: available) else {
            throw StorageError(.insufficientStorage, "The store has no room for it.")
        }
    }

    private func fits(_ length: Int64?, in available: Int64) -> Bool {
        let (needed, overflowed) = max(0, length ?? 0).addingReportingOverflow(reserve)
        return !overflowed && needed <= available
    }
}
