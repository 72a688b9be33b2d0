import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import StorageCore

/// Makes requests to one bucket: signs, sends, and turns every answer that is an error into a ``StorageError``.
///
/// # Behavior
///
/// - Asks once: whether to ask again is decided above, by ``StorageError/isTransient``.
/// - Follows no redirect, wherever it leads.
/// - Reads at most 64 KiB of an answer that is an error.
/// - Carries on the trace of the task, with a span for each request.
struct S3Client: Sendable {
    private let connections: S3Connections
    private let signer: SignatureV4
    private let base: String
    private let authority: String
    private let rootPath: [UInt8]
    /// Whether the bucket is named in the path, and not in the host's name.
    let usesPathStyle: Bool
    private let alarms: S3Alarms

    /// The slowest upload that is not given up, in bytes a second.
    private static let slowestUpload: Int64 = 64 << 10
    private static let patience = Duration.seconds(60)
    /// The slowest service that copies the parts of an upload to make an object of them, in bytes a second.
    private static let slowestJoining: Int64 = 32 << 20
    private static let longestJoining = Duration.seconds(3_600)
    private static let longestError = 64 << 10
    /// Services refuse requests whose clock is further from theirs.
    private static let mostSkew: Int64 = 15 * 60 * 1_000_000

    /// How long so many bytes may be on their way although nothing is wrong.
    static func duration(ofSending bytes: Int64) -> Duration { .seconds(bytes / slowestUpload) }

    /// How long a service may take to make one object of parts. Amazon's documents minutes; some copy all bytes meanwhile.
    static func duration(ofJoining bytes: Int64, parts: Int) -> Duration {
        min(longestJoining, patience + .seconds(bytes / slowestJoining) + .milliseconds(10 * parts))
    }

    init(_ configuration: S3Configuration, alarms: S3Alarms = S3Alarms()) throws {
        self.alarms = alarms
        let endpoint = try configuration.resolvedEndpoint()
        connections = S3Connections(configuration)
        signer = SignatureV4(credentials: configuration.credentials, region: configuration.region)
        authority = endpoint.authority(bucket: configuration.usesPathStyle ? nil : configuration.bucket)
        base = "\(endpoint.scheme)://\(authority)"
        usesPathStyle = configuration.usesPathStyle
        rootPath = Array((configuration.usesPathStyle ? "/\(configuration.bucket)" : "").utf8)
    }

    /// Asks, and returns the head of the answer with its body on the way.
    ///
    /// - Parameters:
    ///   - operation: The name of what is asked, for operators.
    ///   - key: The whole key of an object; nil for the bucket itself.
    ///   - accepted: The status codes that are answers; every other is an error.
    ///   - isDispensable: Whether the caller can do without: that it is refused is no alarm then.
    ///   - patience: How long the service may be silent before it answers; nil for as long as the configuration says. The answer's body
    ///     is waited for without end then: the caller's task has to be ended.
    func send(
        _ operation: String, _ method: S3Request.Method, _ key: String? = nil, query: [S3Request.Parameter] = [],
        headers: [S3Request.Header] = [], body: S3Body = .none, accepting accepted: Set<Int> = [200],
        isDispensable: Bool = false, patience: Duration? = nil
    ) async throws -> S3Answer {
        let request = try prepare(method, key, query: query, headers: headers, body: body)
        let limit = (patience ?? Self.patience) + Self.duration(ofSending: body.length)
        let http = patience == nil ? connections.http : connections.patient
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, deadline: .now() + TimeAmount(limit))
        } catch {
            throw failure(error)
        }
        let answer = S3Answer(status: Int(response.status.code), headers: response.headers, body: response.body)
        guard !accepted.contains(answer.status) else { return answer }
        throw await failure(operation, answer, hasBody: method != .head, isDispensable: isDispensable)
    }

    /// Asks, although the task may have been cancelled: for what gives back what the service holds.
    func sendRegardless(
        _ operation: String, _ method: S3Request.Method, _ key: String, query: [S3Request.Parameter]
    ) async throws {
        let prepared = try prepare(method, key, query: query, headers: [], body: .none)
        let request = try HTTPClient.Request(url: prepared.url, method: prepared.method, headers: prepared.headers)
        let response: HTTPClient.Response
        do {
            let whole = ResponseAccumulator(request: request, maxBodySize: Self.longestError)
            let deadline = NIODeadline.now() + .seconds(10)
            response = try await connections.http.execute(request: request, delegate: whole, deadline: deadline).get()
        } catch {
            throw failure(error)
        }
        let answer = S3Answer(status: Int(response.status.code), headers: response.headers, body: .init())
        guard answer.status >= 300 else { return }
        throw failure(operation, answer, response.body.flatMap { try? ErrorAnswer(parsing: $0) })
    }

    private func prepare(
        _ method: S3Request.Method, _ key: String?, query: [S3Request.Parameter], headers: [S3Request.Header],
        body: S3Body
    ) throws -> HTTPClientRequest {
        var path = rootPath
        path.append(UInt8(ascii: "/"))
        if let key { path += key.utf8 }
        var signed = S3Request(method, authority: authority, path: path, query: query, headers: headers)
        try signer.sign(&signed, payload: body.payload, at: .now())

        var request = HTTPClientRequest(url: base + signed.target)
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.reserveCapacity(signed.headers.count + 4)
        request.headers.add(name: "Host", value: authority)
        for header in signed.headers { request.headers.add(name: header.name, value: header.value) }
        // Not signed: whoever stands between may put a span of its own there (W3C Trace Context section 3.4).
        if let trace = TraceContext.current?.child() {
            request.headers.add(name: "traceparent", value: trace.traceparent)
            if let state = trace.state { request.headers.add(name: "tracestate", value: state) }
        }
        switch body {
        case .none: break
        case .bytes(let bytes, _): request.body = .bytes(bytes)
        case .stream(let stream, let length, _): request.body = .stream(stream, length: .known(length))
        }
        return request
    }

    /// What a request failed with before there was an answer.
    private func failure(_ error: any Error) -> any Error {
        if let distrust = S3Distrust(error, authority: authority, isBucketsHost: !usesPathStyle) {
            return S3Failure.transport(distrust)
        }
        if !usesPathStyle, let unresolved = S3Unresolved(error) { return S3Failure.transport(unresolved) }
        return S3Failure.transport(error)
    }

    /// What an answer that is an error says.
    private func failure(
        _ operation: String, _ answer: S3Answer, hasBody: Bool, isDispensable: Bool
    ) async -> any Error {
        var said: ErrorAnswer?
        if hasBody {
            do {
                let body = try await answer.collect(upTo: Self.longestError)
                said = try? ErrorAnswer(parsing: body)
            } catch let error as CancellationError {
                return error
            } catch {
                // The status alone says enough.
            }
        }
        return failure(operation, answer, said, isDispensable: isDispensable)
    }

    /// An answer that was found to be an error, whatever its status says.
    func failure(
        _ operation: String, _ answer: S3Answer, _ said: ErrorAnswer?, isDispensable: Bool = false
    ) -> StorageError {
        let failure = S3Failure(
            operation: operation, status: answer.status, code: said?.code ?? Self.guess(answer), message: said?.message,
            region: said?.region ?? answer.bucketRegion, requestID: said?.requestID ?? answer.requestID)
        if !isDispensable { alarms.note(failure, serverTime: answer.date) }
        return failure.storageError(retryAfter: answer.retryAfter)
    }

    /// What a refusal without a body, as HEAD has none, would have said: that the two clocks are too far apart, where they are.
    private static func guess(_ answer: S3Answer) -> String? {
        guard answer.status == 403, let date = answer.date,
            abs(date.microseconds - Timestamp.now().microseconds) > mostSkew
        else { return nil }
        return "RequestTimeTooSkewed"
    }
}
