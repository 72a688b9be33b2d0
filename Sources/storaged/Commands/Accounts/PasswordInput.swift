import Glibc
import Synchronization

/// Where a command gets a password or a token from: never from its arguments, which everybody on the machine can read.
enum PasswordInput {
    /// Longer than any password may be; more is not read.
    private static let longest = 4_096

    /// The password that a command was given.
    ///
    /// - Parameter fromStandardInput: The first line of standard input; otherwise the terminal is asked, twice.
    static func read(fromStandardInput: Bool) throws(CommandFailure) -> [UInt8] {
        if fromStandardInput { return try line(of: STDIN_FILENO) }
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw CommandFailure(
                description: "there is no terminal to ask for the password; give it with --password-stdin",
                exitStatus: .usage)
        }
        defer { close(terminal) }
        let password = try ask("Password: ", on: terminal)
        guard try ask("Once more: ", on: terminal) == password else {
            throw CommandFailure(description: "the two passwords are not the same; nothing was done")
        }
        return password
    }

    /// The token that a command was given: the first line of standard input, asked for where that is a terminal.
    static func readToken() throws(CommandFailure) -> [UInt8] {
        guard isatty(STDIN_FILENO) == 1 else { return try line(of: STDIN_FILENO) }
        return try ask("Token: ", on: STDIN_FILENO)
    }

    /// The bytes before the first line end; a carriage return before that is none of them.
    private static func line(of descriptor: Int32) throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count <= longest, let byte = next(descriptor), byte != UInt8(ascii: "\n") { bytes.append(byte) }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard bytes.count <= longest else { throw CommandFailure(description: "what was given is too long") }
        return bytes
    }

    /// Asks without showing what is typed.
    ///
    /// Signals of keys are off meanwhile, and those of other processes wait for the terminal to be as it was: a process that ends
    /// here would leave a terminal that shows nothing.
    private static func ask(_ prompt: String, on terminal: Int32) throws(CommandFailure) -> [UInt8] {
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw CommandFailure(description: "the terminal cannot be asked", exitStatus: .usage)
        }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        silent.c_iflag |= tcflag_t(ICRNL)
        let signals = HeldSignals()
        // Silent before anybody is asked: what is typed at once is neither shown nor thrown away.
        tcsetattr(terminal, TCSAFLUSH, &silent)
        Array(prompt.utf8).writeAll(to: terminal)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            [UInt8(ascii: "\n")].writeAll(to: terminal)
            signals.release()
        }
        var line = PasswordLine()
        while line.count <= longest, !HeldSignals.hasCome {
            switch key(terminal) {
            case .pressed(let byte):
                switch line.take(byte) {
                case .more: continue
                case .done: return line.bytes
                case .aborted: throw CommandFailure(description: "nothing was given; nothing was done")
                }
            case .none: continue
            case .end: throw CommandFailure(description: "nothing was given; nothing was done")
            }
        }
        throw CommandFailure(description: "nothing was given; nothing was done")
    }

    private enum Key {
        case pressed(UInt8)
        /// None for now.
        case none
        /// The terminal is gone.
        case end
    }

    private static func key(_ terminal: Int32) -> Key {
        var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 100) > 0 else { return .none }
        return next(terminal).map { .pressed($0) } ?? .end
    }

    private static func next(_ descriptor: Int32) -> UInt8? {
        var byte: UInt8 = 0
        while true {
            switch Glibc.read(descriptor, &byte, 1) {
            case 1: return byte
            case -1 where errno == EINTR: continue
            default: return nil
            }
        }
    }
}

/// SIGINT, SIGTERM and SIGHUP, held back for a moment and then given the effect that they had before.
private struct HeldSignals {
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]
    private static let caught = Atomic<Int32>(0)

    private let before: [sighandler_t?]

    static var hasCome: Bool { caught.load(ordering: .relaxed) != 0 }

    init() {
        // Made before a handler can run: making it there would not be safe.
        Self.caught.store(0, ordering: .relaxed)
        before = Self.numbers.map { signal($0) { HeldSignals.caught.store($0, ordering: .relaxed) } }
    }

    func release() {
        for (number, handler) in zip(Self.numbers, before) { signal(number, handler) }
        let number = Self.caught.load(ordering: .relaxed)
        if number != 0 { raise(number) }
    }
}

/// What somebody types in answer to a question for a password, key by key.
struct PasswordLine {
    enum State {
        case more, done, aborted
    }

    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count }

    mutating func take(_ byte: UInt8) -> State {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return .done
        // ^C, ^\ and ^Z; ^D where nothing was typed.
        case 0x03, 0x1C, 0x1A: return .aborted
        case 0x04: return bytes.isEmpty ? .aborted : .done
        // ^H and backspace: the last letter, whose first byte is none that continues one.
        case 0x08, 0x7F:
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        // ^U: everything.
        case 0x15: bytes = []
        default: bytes.append(byte)
        }
        return .more
    }
}
