import NIOCore

/// What Redis answers, as far as it is asked.
enum RedisReply: Equatable {
    case nothing
    case bytes(ByteBuffer)
    case integer(Int64)
    case status
    /// An error of Redis' own, by its first word.
    case refused(String)

    var isNumber: Bool {
        if case .integer = self { true } else { false }
    }

    /// What an error of Redis' own is called: its first word, of those that are known. The rest may repeat what was sent, a password too.
    static func name(ofError text: some Sequence<UInt8>) -> String {
        let word = String(decoding: text.prefix(20).prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        return errors.contains(word) ? word : "another one"
    }

    private static let errors: Set<String> = [
        "ASK", "BUSY", "CLUSTERDOWN", "DENIED", "ERR", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOPERM",
        "NOREPLICAS", "OOM", "READONLY", "WRONGPASS", "WRONGTYPE",
    ]
}

/// Why there is no answer.
enum RedisFailure: Error, Equatable, CustomStringConvertible {
    /// Not in time.
    case late
    /// No connection, or one that ended.
    case gone(String)
    /// Not what Redis may answer.
    case malformed
    /// An error of Redis' own, by its first word.
    case refused(String)
    /// Too much is asked at the moment, or nobody asks any more.
    case notAsked

    /// For logs.
    var description: String {
        switch self {
        case .late: "no answer in time"
        case .gone(let reason): reason
        case .malformed: "an answer that is none"
        case .refused(let reason): "an error: \(reason)"
        case .notAsked: "nobody asked"
        }
    }
}
