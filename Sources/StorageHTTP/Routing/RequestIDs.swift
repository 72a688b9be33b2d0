import StorageCore
import Synchronization

/// Makes the ids that requests get: UUIDs of version 7, whose random bits tell requests of a millisecond apart and need not be secret.
///
/// They come from SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014, figure 17): asking the
/// system for each would be two system calls a request.
enum RequestIDs {
    private static let state = Atomic(UInt64.random(in: .min ... .max))

    static func next() -> String {
        let milliseconds = UInt64(max(0, Timestamp.now().microseconds / 1_000))
        return Identifier<AccessLog>(
            high: milliseconds << 16 | 0x7000 | random() & 0x0FFF, low: 0x8000_0000_0000_0000 | random() >> 2
        ).description
    }

    private static func random() -> UInt64 {
        var bits = state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
