/// Decimal numbers as protocols write them: ASCII digits and nothing else.
///
/// `Int(_:)` takes a sign and would let `+5` through; this does not, and it never traps on a number that is too large.
package enum DecimalNumber {
    /// The number that these ASCII digits spell; nil when there is none, another byte, or an overflow of 63 bits.
    package static func parse(_ digits: some Collection<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (shifted, overflowed) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = shifted.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflowed, !carried else { return nil }
            number = sum
        }
        return number
    }
}
