/// The variables of a `.env` file, as people write them: `export`, blanks round `=`, quotes, comments, blanks at the end.
///
/// - In single quotes everything is literal; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes. Both may
///   go over several lines. Nothing is ever substituted.
/// - Without quotes the value ends at the end of the line or at a `#` after a blank.
/// - The last assignment of a name counts. A name alone on its line assigns nothing.
struct DotEnvFile: Sendable {
    struct Variable: Sendable, Equatable {
        let text: String
        /// Counted from 1.
        let line: Int
    }

    private(set) var variables: [String: Variable] = [:]
    private(set) var problems: [ConfigurationProblem] = []

    /// Reads `bytes`; `name` is what messages call the file. Messages never quote a line: it may hold a secret.
    init(_ bytes: [UInt8], name: String) {
        var scanner = DotEnvScanner(bytes: bytes)
        while scanner.isAtEnd == false {
            let line = scanner.line
            do {
                guard let (variable, value) = try scanner.nextStatement() else { continue }
                if let variable = String(validating: variable, as: UTF8.self),
                    let text = String(validating: value, as: UTF8.self)
                {
                    variables[variable] = Variable(text: text, line: line)
                } else {
                    problems.append(ConfigurationProblem("\(name), line \(line): this is not UTF-8; write it in UTF-8"))
                }
            } catch {
                problems.append(ConfigurationProblem("\(name), line \(line): \(error.cure)"))
                scanner.skipLine()
            }
        }
    }
}

/// Goes through the bytes of a `.env` file, a statement at a time.
private struct DotEnvScanner {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            position = 3
        }
    }

    var isAtEnd: Bool { position == bytes.count }
    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The next assignment, or `nil` for a line without one. Stands behind the line afterwards.
    mutating func nextStatement() throws(ValueRefusal) -> (name: [UInt8], value: [UInt8])? {
        skipBlanks()
        guard let first = current, first != .newline, first != .hash else {
            skipLine()
            return nil
        }
        var name = takeName()
        skipBlanks()
        if name == Array("export".utf8), current != .equals {
            name = takeName()
            skipBlanks()
        }
        guard current == .equals else {
            guard name.isEmpty == false, current == nil || current == .newline || current == .hash else {
                throw ValueRefusal(cure: "this is no assignment; write NAME=value")
            }
            skipLine()
            return nil
        }
        guard name.isEmpty == false else { throw ValueRefusal(cure: "the name is missing; write NAME=value") }
        position += 1
        let value = try takeValue()
        return (name, value)
    }

    mutating func skipLine() {
        while let byte = current {
            advance()
            if byte == .newline { return }
        }
    }

    private mutating func advance() {
        if bytes[position] == .newline { line += 1 }
        position += 1
    }

    private mutating func skipBlanks() {
        while let byte = current, byte.isBlank { position += 1 }
    }

    private mutating func takeName() -> [UInt8] {
        let start = position
        while let byte = current, byte != .equals, byte != .newline, byte != .hash, byte.isBlank == false {
            position += 1
        }
        return Array(bytes[start..<position])
    }

    private mutating func takeValue() throws(ValueRefusal) -> [UInt8] {
        let afterEquals = position
        skipBlanks()
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return takeBareValue(hadBlank: position > afterEquals)
        }
        let value = try takeQuoted(by: quote)
        skipBlanks()
        guard current == nil || current == .newline || current == .hash else {
            throw ValueRefusal(cure: "something follows the closing quote; write NAME=\"value\"")
        }
        skipLine()
        return value
    }

    private mutating func takeBareValue(hadBlank: Bool) -> [UInt8] {
        let start = position
        var end = start
        var followsBlank = hadBlank
        while let byte = current, byte != .newline {
            if byte == .hash, followsBlank { break }
            position += 1
            followsBlank = byte.isBlank
            if followsBlank == false { end = position }
        }
        skipLine()
        return Array(bytes[start..<end])
    }

    private mutating func takeQuoted(by quote: UInt8) throws(ValueRefusal) -> [UInt8] {
        position += 1
        let start = (position, line)
        var value: [UInt8] = []
        while let byte = current {
            advance()
            if byte == quote { return value }
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let next = current,
                let plain = Self.escapes[next]
            else {
                value.append(byte)
                continue
            }
            value.append(plain)
            position += 1
        }
        // The rest of the file is not part of this value: it is read as if the line had ended.
        (position, line) = start
        throw ValueRefusal(cure: "the quote is never closed; close it on the same line")
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "\""): 0x22,
        UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "$"): 0x24,
    ]
}

extension UInt8 {
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let hash = UInt8(ascii: "#")
    fileprivate static let equals = UInt8(ascii: "=")

    /// A space, a tab, or the carriage return of files from Windows.
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
}
