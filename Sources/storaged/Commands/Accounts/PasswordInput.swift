import Glibc

/// Where a command gets a password from: never from its arguments, which everybody on the machine can read.
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

    /// The bytes before the first line end; a carriage return before that is none of them.
    private static func line(of descriptor: Int32) throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count <= longest, let byte = next(descriptor), byte != UInt8(ascii: "\n") { bytes.append(byte) }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard bytes.count <= longest else { throw CommandFailure(description: "the password is too long") }
        return bytes
    }

    /// Asks without showing what is typed.
    ///
    /// Signals of keys are off meanwhile, because a process that ends here would leave a terminal that shows nothing.
    private static func ask(_ prompt: String, on terminal: Int32) throws(CommandFailure) -> [UInt8] {
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw CommandFailure(description: "the terminal cannot be asked for the password", exitStatus: .usage)
        }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        silent.c_iflag |= tcflag_t(ICRNL)
        Array(prompt.utf8).writeAll(to: terminal)
        tcsetattr(terminal, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            [UInt8(ascii: "\n")].writeAll(to: terminal)
        }
        var line = PasswordLine()
        while let byte = next(terminal), line.count <= longest {
            switch line.take(byte) {
            case .more: continue
            case .done: return line.bytes
            case .aborted: throw CommandFailure(description: "no password; nothing was done")
            }
        }
        throw CommandFailure(description: "no password; nothing was done")
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
