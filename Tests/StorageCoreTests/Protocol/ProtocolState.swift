/// Everything that decides what can happen next to one content: what the database and the store hold, and how far everybody has come.
///
/// Three words, because millions of these are compared. Only the accessors know where in them a value lies.
struct ProtocolState: Hashable {
    /// Eight bits for each generation.
    private var lives: UInt64 = 0
    /// Sixteen bits for each writer.
    private var writers: UInt64 = 0
    /// Eight bits for each collector; above them what is left to the deleter, and what went wrong on the way.
    private var others: UInt64 = 0

    subscript(life generation: Int) -> Life {
        get { Life(bits: UInt8(truncatingIfNeeded: lives &>> UInt64(8 * generation))) }
        set {
            let place = UInt64(8 * generation)
            lives = lives & ~(0xFF &<< place) | UInt64(newValue.bits) &<< place
        }
    }

    subscript(writer index: Int) -> Writer {
        get { Writer(bits: UInt16(truncatingIfNeeded: writers &>> UInt64(16 * index))) }
        set {
            let place = UInt64(16 * index)
            writers = writers & ~(0xFFFF &<< place) | UInt64(newValue.bits) &<< place
        }
    }

    subscript(collector index: Int) -> Collector {
        get { Collector(bits: UInt8(truncatingIfNeeded: others &>> UInt64(8 * index))) }
        set {
            let place = UInt64(8 * index)
            others = others & ~(0xFF &<< place) | UInt64(newValue.bits) &<< place
        }
    }

    /// How many files the deleter will still delete.
    var deletions: Int {
        get { Int(others &>> 32 & 0xFF) }
        set { others = others & ~(0xFF &<< 32) | UInt64(newValue) &<< 32 }
    }

    /// Whether a key was written whose deletion had been authorised before.
    var wroteDeadKey: Bool {
        get { others &>> 40 & 1 == 1 }
        set { others = others & ~(1 &<< 40) | (newValue ? 1 : 0) &<< 40 }
    }
}

/// One life of the content: its row, its bytes, and what is still on its way to its key.
struct Life {
    /// The states that the database knows; `none` where it knows nothing of the life.
    enum Row: UInt8 {
        case none
        case pending
        case live
        case doomed
        case gone
        case corrupt
    }

    fileprivate var bits: UInt8

    var row: Row {
        get { Row(rawValue: bits & 7) ?? .none }
        set { bits = bits & ~7 | newValue.rawValue }
    }

    /// Whether the row says that a reference was removed.
    var isReleased: Bool {
        get { bits & 8 != 0 }
        set { bits = newValue ? bits | 8 : bits & ~8 }
    }

    /// Whether the store holds the bytes.
    var hasBytes: Bool {
        get { bits & 16 != 0 }
        set { bits = newValue ? bits | 16 : bits & ~16 }
    }

    /// A PUT whose writer waits for it no more; it may land at any time.
    var hasStrayWrite: Bool {
        get { bits & 32 != 0 }
        set { bits = newValue ? bits | 32 : bits & ~32 }
    }

    /// A DELETE whose collector waits for it no more; it may land at any time.
    var hasStrayDelete: Bool {
        get { bits & 64 != 0 }
        set { bits = newValue ? bits | 64 : bits & ~64 }
    }

    /// Whether the deletion of the key was ever authorised.
    var isDead: Bool {
        get { bits & 128 != 0 }
        set { bits = newValue ? bits | 128 : bits & ~128 }
    }

    /// Whether the bytes may be written and referred to, as far as the database knows.
    var isUsable: Bool { row == .pending || row == .live }
}

/// Somebody who stores the content at a path of their own, and the file that is there.
struct Writer {
    enum Step: UInt8 {
        /// Done, refused or dead: what the file refers to was acknowledged.
        case ended
        /// About to put another content at the path, before the content itself.
        case replacing
        /// About to claim a life.
        case claiming
        /// The life was live: about to look whether its bytes are there.
        case looking
        /// The life was pending: about to write its bytes.
        case writing
        /// The PUT is on its way.
        case sent
        /// The bytes are there: about to commit.
        case committing
    }

    fileprivate var bits: UInt16

    var step: Step {
        get { Step(rawValue: UInt8(bits & 7)) ?? .ended }
        set { bits = bits & ~7 | UInt16(newValue.rawValue) }
    }

    /// The life that was claimed last.
    var generation: Int {
        get { Int(bits &>> 3 & 7) }
        set { bits = bits & ~(7 &<< 3) | UInt16(newValue) &<< 3 }
    }

    /// What the file holds now; the file exists as long as there is one.
    var current: Version {
        get { Version(bits: UInt8(bits &>> 8 & 15)) }
        set { bits = bits & ~(15 &<< 8) | UInt16(newValue.bits) &<< 8 }
    }

    /// What it held before.
    var older: Version {
        get { Version(bits: UInt8(bits &>> 12 & 15)) }
        set { bits = bits & ~(15 &<< 12) | UInt16(newValue.bits) &<< 12 }
    }

    /// Whether the writer still does something.
    var isAtWork: Bool { step != .ended }

    /// Nothing more comes of it; which life it had claimed decides nothing any more.
    mutating func end() {
        step = .ended
        generation = 0
    }

    func refers(to generation: Int) -> Bool {
        current == .generation(generation) || older == .generation(generation)
    }
}

/// A version of a file: none, one with some other content, or one that refers to a life of ours.
struct Version: Equatable {
    fileprivate let bits: UInt8

    static let none = Version(bits: 0)
    static let otherContent = Version(bits: 15)

    static func generation(_ generation: Int) -> Self { Version(bits: UInt8(generation) + 1) }

    /// The life that it refers to.
    var generation: Int? { self == .none || self == .otherContent ? nil : Int(bits) - 1 }
}

/// A node that collects, again and again.
struct Collector {
    enum Step: UInt8 {
        case idle
        /// Chose a life in a transaction of its own; only a collector that decides on what it saw before does this.
        case chosen
        /// About to delete the bytes.
        case deleting
        /// The DELETE is on its way.
        case sent
        /// The bytes are gone: about to say so.
        case settling
    }

    fileprivate var bits: UInt8

    var step: Step {
        get { Step(rawValue: bits & 7) ?? .idle }
        set { bits = bits & ~7 | newValue.rawValue }
    }

    /// The life that it works on.
    var generation: Int {
        get { Int(bits &>> 3) }
        set { bits = bits & 7 | UInt8(newValue) &<< 3 }
    }

    static let idle = Collector(bits: 0)
}

extension ProtocolState {
    /// The same state with those who are alike in one order: which of two collectors deletes makes no difference.
    func canonical(for cast: Cast) -> ProtocolState {
        var state = self
        // The first writer is not like the others: a file was at its path before.
        for end in stride(from: cast.writers - 1, to: 1, by: -1) {
            for index in 1..<end where state[writer: index].bits > state[writer: index + 1].bits {
                (state[writer: index], state[writer: index + 1]) = (state[writer: index + 1], state[writer: index])
            }
        }
        for end in stride(from: cast.collectors - 1, to: 0, by: -1) {
            for index in 0..<end where state[collector: index].bits > state[collector: index + 1].bits {
                (state[collector: index], state[collector: index + 1]) = (
                    state[collector: index + 1], state[collector: index]
                )
            }
        }
        return state
    }
}
