import HTTPTypes
import Logging
import StorageCore
import Synchronization

/// The one line that a request leaves in the log, and the id that it is found by.
final class AccessLog: Sendable {
    /// The client's own id if it sent a sane one, else a new one.
    let id: String
    /// Carries the id with every line that the request causes; made when one is written.
    var logger: Logger {
        var logger = base
        logger[metadataKey: "request_id"] = "\(id)"
        if let trace { logger[metadataKey: "trace_id"] = "\(trace)" }
        return logger
    }

    private struct Notes {
        var route = "-"
        var refusal: String?
    }

    private let base: Logger
    private let trace: String?
    private let method: String
    /// Where the request came from.
    let peer: Peer
    private let start = ContinuousClock.now
    private let notes = Mutex(Notes())

    init(_ request: HTTPRequest, from peer: Peer, logger: Logger) {
        id = request.headerFields[.xRequestID].flatMap(Self.sane) ?? Identifier<AccessLog>().description
        trace = request.headerFields[.traceparent].flatMap(Self.traceID)
        base = logger
        method = request.method.rawValue
        self.peer = peer
    }

    func note(route: String) {
        notes.withLock { $0.route = route }
    }

    func note(refusal: String) {
        notes.withLock { $0.refusal = refusal }
    }

    /// The answer is complete, or is handed over whole.
    func finish(_ status: HTTPResponse.Status, bytes: Int64? = nil) {
        write(status, bytes, nil)
    }

    /// The answer broke off in the middle.
    func fail(_ status: HTTPResponse.Status, _ error: any Error) {
        write(status, nil, "broken_off")
        logger.debug("the answer broke off", metadata: ["error": "\(error)"])
    }

    private func write(_ status: HTTPResponse.Status, _ bytes: Int64?, _ event: String?) {
        guard base.logLevel <= .info else { return }
        let notes = notes.withLock { $0 }
        let (seconds, attoseconds) = start.duration(to: .now).components
        let milliseconds = Double(seconds) * 1_000 + Double(attoseconds / 1_000_000_000_000) / 1_000
        var metadata: Logger.Metadata = [
            "method": "\(method)", "route": "\(notes.route)", "status": "\(status.code)", "ms": "\(milliseconds)",
        ]
        if let address = peer.address { metadata["address"] = "\(address)" }
        if let bytes { metadata["bytes"] = "\(bytes)" }
        if let event = event ?? notes.refusal { metadata["event"] = "\(event)" }
        logger.info("request", metadata: metadata)
    }

    /// Letters, digits, `-`, `_` and `.`, 1 to 128 of them: safe in a header, a log and a file name.
    private static func sane(_ id: String) -> String? {
        let bytes = id.utf8
        guard (1...128).contains(bytes.count) else { return nil }
        let isSafe = bytes.allSatisfy {
            ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.dash || $0 == ASCII.underscore || $0 == ASCII.dot
        }
        return isSafe ? id : nil
    }

    /// The trace id of a well-formed `traceparent` (W3C Trace Context section 3.2).
    private static func traceID(_ value: String) -> String? {
        let bytes = Array(value.utf8)
        guard bytes.count >= 55, bytes[2] == ASCII.dash, bytes[35] == ASCII.dash, bytes[52] == ASCII.dash,
            let id = Hexadecimal.decode(bytes[3..<35]), id.contains(where: { $0 != 0 }),
            Hexadecimal.decode(bytes[36..<52]) != nil
        else { return nil }
        return Hexadecimal.encode(id)
    }
}
