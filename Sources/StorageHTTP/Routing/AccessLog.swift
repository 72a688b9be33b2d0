import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import StorageCore
import Synchronization

/// The one line that a request leaves in the log, the id that it is found by, and what is counted of it.
final class AccessLog: Sendable {
    /// The client's own id if it sent a sane one, else a new one.
    let id: String
    /// Carries the id with every line that the request causes; made when one is written.
    var logger: Logger {
        var logger = base
        logger[metadataKey: "request_id"] = "\(id)"
        if let trace { logger[metadataKey: "trace_id"] = "\(trace.traceID)" }
        return logger
    }

    private struct Notes {
        var route: RouteMeter
        var refusal: String?
        /// The status of an answer that is to be written, until its line is.
        var owed: HTTPResponse.Status?
    }

    private let base: Logger
    /// The trace that the request belongs to; a new one where the client's is malformed, nil where it has none.
    let trace: TraceContext?
    private let method: HTTPRequest.Method
    private let meters: RequestMeters
    /// Where the request came from.
    let peer: Peer
    private let start = NIODeadline.now()
    private let notes: Mutex<Notes>

    init(_ request: HTTPRequest, from peer: Peer, logger: Logger, meters: RequestMeters) {
        id = request.headerFields[.xRequestID].flatMap(Self.sane) ?? RequestIDs.next()
        trace = request.headerFields[.traceparent].map { parent in
            TraceContext(traceparent: parent, tracestate: request.headerFields[values: .tracestate]) ?? TraceContext()
        }
        base = logger
        method = request.method
        self.peer = peer
        self.meters = meters
        notes = Mutex(Notes(route: meters.unmatched))
        meters.began()
    }

    deinit {
        // Nobody was there to write it to.
        if let status = notes.withLock({ $0.owed }) { write(status, nil, Self.brokenOff) }
        meters.ended()
    }

    func note(_ route: RouteMeter) {
        notes.withLock { $0.route = route }
    }

    func note(refusal: String) {
        notes.withLock { $0.refusal = refusal }
    }

    /// The answer is handed over, to be written: should nobody begin to, it broke off.
    func owe(_ status: HTTPResponse.Status) {
        notes.withLock { $0.owed = status }
    }

    /// The answer is complete, or is handed over whole.
    func finish(_ status: HTTPResponse.Status, bytes: Int64? = nil) {
        write(status, bytes, nil)
    }

    /// The answer broke off in the middle.
    func fail(_ status: HTTPResponse.Status, _ error: any Error) {
        write(status, nil, Self.brokenOff)
        logger.debug("the answer broke off", metadata: ["error": "\(error)"])
    }

    private func write(_ status: HTTPResponse.Status, _ bytes: Int64?, _ event: String?) {
        let notes = notes.withLock { notes in
            notes.owed = nil
            return notes
        }
        let nanoseconds = (NIODeadline.now() - start).nanoseconds
        notes.route.answered(method, status.code, in: nanoseconds)
        guard base.logLevel <= .info else { return }
        let milliseconds = Double(nanoseconds / 1_000) / 1_000
        var metadata: Logger.Metadata = [
            "method": "\(method.rawValue)", "route": "\(notes.route.path)", "status": "\(status.code)",
            "ms": "\(milliseconds)",
        ]
        if let address = peer.address { metadata["address"] = "\(address)" }
        if let bytes { metadata["bytes"] = "\(bytes)" }
        if let event = event ?? notes.refusal { metadata["event"] = "\(event)" }
        logger.info("request", metadata: metadata)
    }

    private static let brokenOff = "broken_off"

    /// Runs what answers the request, so that what it asks of other services belongs to its trace.
    func tracing<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        guard let trace else { return try await body() }
        return try await TraceContext.$current.withValue(trace, operation: body)
    }

    /// Writes the content of an answer in the same way.
    @concurrent
    func tracing(_ write: Answer.Write, to writer: inout any ResponseBodyWriter) async throws {
        guard let trace else { return try await write(&writer) }
        try await TraceContext.$current.withValue(trace) { try await write(&writer) }
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
}
