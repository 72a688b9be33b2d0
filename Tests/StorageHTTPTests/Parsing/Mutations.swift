/// Deterministic random numbers (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Endless random variations of well-formed inputs: what a fuzzer does, small enough for every test run.
struct Mutations {
    static let count = 20_000

    private var generator: SeededGenerator
    private let corpus: [[UInt8]]
    /// Pieces that mean something to the grammar under test.
    private let words: [[UInt8]]

    init(seed: UInt64, corpus: [String], words: [String]) {
        self.init(seed: seed, corpus: corpus.map { Array($0.utf8) }, words: words.map { Array($0.utf8) })
    }

    init(seed: UInt64, corpus: [[UInt8]], words: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.corpus = corpus
        self.words =
            words + [[0x00], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x0D], [0x0A], [0x0D, 0x0A], [0x7F], [0x20]]
    }

    mutating func number(below bound: Int) -> Int {
        Int.random(in: 0..<max(bound, 1), using: &generator)
    }

    mutating func next() -> [UInt8] {
        var bytes = corpus[number(below: corpus.count)]
        for _ in 0..<(1 + number(below: 4)) {
            let index = number(below: bytes.count + 1)
            switch number(below: 7) {
            case 0 where bytes.isEmpty == false:
                bytes[min(index, bytes.count - 1)] = UInt8.random(in: 0...255, using: &generator)
            case 1 where bytes.isEmpty == false:
                bytes[min(index, bytes.count - 1)] ^= 1 << UInt8(number(below: 8))
            case 2:
                bytes.insert(contentsOf: words[number(below: words.count)], at: index)
            case 3:
                bytes.removeSubrange(index..<min(bytes.count, index + 1 + number(below: 8)))
            case 4:
                let other = corpus[number(below: corpus.count)]
                bytes = bytes.prefix(index) + other.suffix(number(below: other.count + 1))
            case 5:
                let end = min(bytes.count, index + number(below: 16))
                bytes.insert(contentsOf: Array(bytes[index..<end]), at: index)
            default:
                let word = words[number(below: words.count)]
                bytes.replaceSubrange(index..<min(bytes.count, index + word.count), with: word)
            }
        }
        return bytes
    }

    /// The same as text, with what is not UTF-8 repaired as the HTTP decoder does.
    mutating func nextText() -> String {
        String(decoding: next(), as: UTF8.self)
    }
}
