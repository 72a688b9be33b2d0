/// The passwords that are tried first: common words, runs of neighbouring keys, numbers, and what people put together from them.
///
/// Kept as parts and rules instead of a list: a word alone or with a year, a few digits or a mark behind or before it, in any
/// case and with the usual digits for letters, makes some hundred thousand of them.
enum CommonPasswords {
    /// What is longer is not common.
    private static let longest = 32
    private static let mostParts = 3

    /// Whether a password is made of nothing but common parts.
    static func contains(_ password: [UInt8]) -> Bool {
        guard !password.isEmpty, password.count <= longest else { return false }
        let folded = password.map(lowercased)
        if Parts(of: folded).compose(mostParts) { return true }
        return (1...max(1, folded.count / 2)).contains { period in
            guard folded.count.isMultiple(of: period) || period <= 4, folded.count >= 2 * period,
                zip(folded, folded.dropFirst(period)).allSatisfy({ $0 == $1 })
            else { return false }
            return period <= 4 || Parts(of: Array(folded.prefix(period))).compose(mostParts)
        }
    }

    /// The common parts that begin at each position of a password.
    private struct Parts {
        private let password: [UInt8]
        // The lengths of the parts of each sort, by position; a run may end early.
        private var fillers: [[Int]] = []
        private var longestRun: [Int] = []
        private var words: [Set<Int>] = []

        init(of password: [UInt8]) {
            self.password = password
            for position in password.indices {
                let rest = password[position...]
                fillers.append([1, 2, 4].filter { $0 <= rest.count && isFiller(rest.prefix($0)) })
                longestRun.append(CommonPasswords.longestRun(rest))
                words.append(commonWords(rest))
            }
        }

        /// Whether the password can be cut into at most that many parts, of which one may be a word.
        func compose(_ parts: Int) -> Bool {
            compose(from: 0, parts: parts, hasWord: false)
        }

        private func compose(from position: Int, parts: Int, hasWord: Bool) -> Bool {
            guard position < password.count else { return true }
            guard parts > 0 else { return false }
            let lengths = fillers[position] + (3...max(3, longestRun[position])).filter { $0 <= longestRun[position] }
            if lengths.contains(where: { compose(from: position + $0, parts: parts - 1, hasWord: hasWord) }) {
                return true
            }
            guard !hasWord else { return false }
            return words[position].contains { compose(from: position + $0, parts: parts - 1, hasWord: true) }
        }
    }

    /// What is put before or behind something to satisfy a rule: one byte, two digits or marks, a letter twice, or a year.
    private static func isFiller(_ part: ArraySlice<UInt8>) -> Bool {
        if part.count == 1 { return true }
        if part.count == 2 { return part.first == part.last || part.allSatisfy { isDigit($0) || marks.contains($0) } }
        guard let year = DecimalNumber.parse(part) else { return false }
        return (1900...2039).contains(year)
    }

    /// How many bytes at the start are neighbours on the keyboard, in the alphabet or among the numbers, in either direction, or
    /// one byte repeated; what is shorter than three counts as none.
    private static func longestRun(_ rest: ArraySlice<UInt8>) -> Int {
        guard let first = rest.first else { return 0 }
        var longest = rest.prefix { $0 == first }.count
        for run in runs {
            for start in run.indices where run[start] == first {
                let length = zip(run[start...], rest).prefix { $0 == $1 }.count
                longest = max(longest, length)
            }
        }
        return longest >= 3 ? longest : 0
    }

    /// The lengths of the common words at the start.
    private static func commonWords(_ rest: ArraySlice<UInt8>) -> Set<Int> {
        var found: Set<Int> = []
        // The digit 1 is read as i and as l.
        for one in [UInt8(ascii: "i"), UInt8(ascii: "l")] {
            let readable = rest.prefix(longestWord).map { unmasked($0, one: one) }
            guard readable.count >= 3 else { continue }
            found.formUnion((3...readable.count).filter { words.contains(readable[..<$0]) })
        }
        return found
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
    }

    private static func unmasked(_ byte: UInt8, one: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "@"), UInt8(ascii: "4"): UInt8(ascii: "a")
        case UInt8(ascii: "3"): UInt8(ascii: "e")
        case UInt8(ascii: "0"): UInt8(ascii: "o")
        case UInt8(ascii: "1"), UInt8(ascii: "!"): one
        case UInt8(ascii: "$"), UInt8(ascii: "5"): UInt8(ascii: "s")
        case UInt8(ascii: "7"): UInt8(ascii: "t")
        default: byte
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static let marks = Set("!@#$%&*?.,-_+= ".utf8)
    private static let words = Set(CommonWords.text.utf8.split { $0 == 0x20 || $0 == 0x0A }.map { Array($0)[...] })
    private static let longestWord = words.map(\.count).max() ?? 0

    private static let runs: [[UInt8]] = {
        let forward = [
            "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
            "qwertzuiop", "azertyuiop", "qsdfghjklm", "wxcvbn", "!@#$%^&*()_+",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p",
            "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "qweasdzxcrtyfghvbn",
            "qwerasdfzxcvtyuighjkbnm", "123qweasdzxc", "147258369", "159357", "159753", "789456123", "741852963",
            "1a2b3c4d5e6f7g8h9i", "a1b2c3d4e5f6g7h8i9", "zaqxswcdevfrbgtnhymju", "0246813579", "1357924680",
            "112233445566778899", "aabbccddeeff", "1123581321", "31415926535", "27182818", "йцукенгшщзхъ",
            "фывапролджэ",
            "ячсмитьбю",
        ].map { Array($0.utf8) }
        return forward + forward.map { $0.reversed() }
    }()
}
