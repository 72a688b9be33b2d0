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
        return repeats(folded) || isComposed(folded[...], parts: mostParts, word: nil)
    }

    /// Whether the rest can be cut into that many common parts, of which only one, if repeated, is a word.
    private static func isComposed(_ rest: ArraySlice<UInt8>, parts: Int, word: [UInt8]?) -> Bool {
        guard !rest.isEmpty else { return true }
        guard parts > 0 else { return false }
        for count in stride(from: rest.count, through: 1, by: -1) {
            let part = rest.prefix(count)
            let tail = rest.dropFirst(count)
            if isFiller(part) || isRun(part), isComposed(tail, parts: parts - 1, word: word) { return true }
            if let found = commonWord(part), word == nil || word == found,
                isComposed(tail, parts: parts - 1, word: found)
            {
                return true
            }
        }
        return false
    }

    /// One or two digits or marks, a letter once or twice, or a year: what is put before or behind something to satisfy a rule.
    private static func isFiller(_ part: ArraySlice<UInt8>) -> Bool {
        if part.count <= 2, part.allSatisfy({ $0 == part.first && isLetter($0) }) { return true }
        if part.count <= 2 { return part.allSatisfy { isDigit($0) || marks.contains($0) } }
        guard part.count == 4, let year = DecimalNumber.parse(part) else { return false }
        return (1900...2039).contains(year)
    }

    /// Three or more neighbours on the keyboard, in the alphabet or among the numbers, in either direction, or one byte repeated.
    private static func isRun(_ part: ArraySlice<UInt8>) -> Bool {
        guard part.count >= 3, let first = part.first else { return false }
        if part.allSatisfy({ $0 == first }) { return true }
        return runs.contains { run in
            run.indices.contains { start in run[start...].starts(with: part) }
        }
    }

    /// One to six bytes over and over.
    private static func repeats(_ password: [UInt8]) -> Bool {
        (1...6).contains { period in
            password.count >= 2 * period && zip(password, password.dropFirst(period)).allSatisfy { $0 == $1 }
        }
    }

    private static func commonWord(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        guard part.count >= 3, part.count <= longestWord else { return nil }
        // The digit 1 is read as i and as l.
        for one in [UInt8(ascii: "i"), UInt8(ascii: "l")] {
            let word = part.map { unmasked($0, one: one) }
            if words.contains(word) { return word }
        }
        return nil
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

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static let marks = Set("!@#$%&*?.,-_+= ".utf8)
    private static let words = Set(CommonWords.text.utf8.split { $0 == 0x20 || $0 == 0x0A }.map { Array($0) })
    private static let longestWord = words.map(\.count).max() ?? 0

    private static let runs: [[UInt8]] = {
        let forward = [
            "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
            "qwertzuiop", "azertyuiop", "qsdfghjklm", "wxcvbn", "!@#$%^&*()_+",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p",
            "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "qweasdzxcrtyfghvbn",
            "qwerasdfzxcvtyuighjkbnm", "123qweasdzxc", "147258369", "159357", "159753", "789456123", "741852963",
            "1a2b3c4d5e6f7g8h9i", "a1b2c3d4e5f6g7h8i9", "zaqxswcdevfrbgtnhymju", "0246813579", "1357924680",
            "112233445566778899",
            "aabbccddeeff", "1123581321", "31415926535", "27182818", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
        ].map { Array($0.utf8) }
        return forward + forward.map { $0.reversed() }
    }()
}
