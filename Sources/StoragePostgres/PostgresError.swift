import CLibpq
import StorageSQL

/// What the server, or the way to it, reported.
struct PostgresError: Error, CustomStringConvertible {
    /// The five characters that name the error (PostgreSQL documentation, appendix A); nil where no server reported it.
    let state: String?
    let description: String

    /// - Parameter description: For operators, without the final newline that libpq writes.
    init(state: String?, _ description: String) {
        self.state = state
        self.description = description
    }

    /// What a result of a failed statement says.
    init(result: OpaquePointer?) {
        let state = PQresultErrorField(result, PostgresCode.state).map { String(cString: $0) }
        let message = PQresultErrorField(result, PostgresCode.message).map { String(cString: $0) }
        self.init(
            state: state, "PostgreSQL \(state ?? "?"): \(message ?? PQresultErrorMessage(result).trimmedText)")
    }

    /// Whether the same transaction, run again, may well succeed: it met others, or its plan was out of date.
    var isPassing: Bool {
        switch state {
        case "40001", "40P01", "0A000", "26000": true
        default: false
        }
    }

    /// Whether the server will never run the statement: it knows not what is asked for, or does not allow it (class 42).
    var isRefusedStatement: Bool { state?.hasPrefix("42") ?? false }

    /// Whether somebody else held a lock for too long.
    var isLockTimeout: Bool { state == "55P03" }

    /// Whether the connection that reported it is of no further use.
    var endsConnection: Bool {
        switch state {
        // A statement that is not known any more, or whose rows have changed: those prepared here are all in doubt.
        case nil, "0A000", "26000": true
        // Not the one that takes writes any more.
        case "25006": true
        case let state?: state.hasPrefix("08") || state.hasPrefix("57P") || state == "25P03"
        }
    }

    /// Whether no later attempt to connect can succeed before somebody changes something.
    var isRefusal: Bool {
        guard let state else { return false }
        return state.hasPrefix("28") || state == "3D000" || state == "42501"
    }
}

extension SQLError {
    init(_ error: PostgresError) {
        self.init(Self.kind(ofPostgres: error.state), error.description)
    }

    private static func kind(ofPostgres state: String?) -> Kind {
        guard let state else { return .unreachable }
        switch state {
        case "23505": return .uniqueViolation
        case SQLWriteBarrier.state: return .frozen
        case "40001", "40P01", "55P03", "57014", "53200", "53300", "53400": return .busy
        case "53100": return .full
        case "25006", "25P03": return .unreachable
        case "XX001", "XX002": return .damaged
        default: break
        }
        switch state.prefix(2) {
        case "23": return .constraintViolation
        case "08", "57": return .unreachable
        case "53": return .busy
        default: return .other
        }
    }
}

/// Constants of libpq and of the protocol that are not imported as such.
enum PostgresCode {
    static let state = Int32(UInt8(ascii: "C"))
    static let message = Int32(UInt8(ascii: "M"))
}

extension UnsafeMutablePointer<CChar>? {
    /// A message of libpq in one line.
    var trimmedText: String {
        guard let self else { return "no message" }
        let lines = String(cString: self).split(whereSeparator: \.isNewline)
        return lines.joined(separator: " ")
    }
}
