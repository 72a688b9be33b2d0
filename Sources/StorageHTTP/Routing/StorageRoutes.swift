import HTTPTypes
public import Hummingbird
import Logging
public import Metrics
public import NIOCore
public import StorageCore

/// Every route there is, as the OpenAPI document describes them.
let allRoutes =
    operationRoutes + documentRoutes + accountRoutes + sessionRoutes + statusRoutes + userRoutes + fileRoutes
    + revisionRoutes + searchRoutes + hashRoutes + containerRoutes + uidRoutes

/// All routes, as a responder that answers every request and never throws.
///
/// Generic over the context: an embedding Hummingbird application uses it as its responder, or mounts it into its own router with
/// `router.add(storage:)`.
public struct StorageRoutes<Context: RequestContext>: HTTPResponder {
    let services: Call.Services
    private let table: RouteTable
    private let meters: RequestMeters
    private let logger: Logger
    private let serverName: String?
    private let date = DateField()
    private let proxies = ProxyNotice()

    /// Makes the routes over a store.
    ///
    /// - Parameters:
    ///   - storage: The files.
    ///   - accounts: Registers, signs in and out.
    ///   - authentication: Tells who presents a credential.
    ///   - readiness: Says when the server is about to stop.
    ///   - anonymousUploads: Whether the dialect that knows no accounts stores files for those who send no credentials.
    ///   - publicURL: Base of every absolute URL, without a slash at its end; nil takes it from the request.
    ///   - trustedProxies: Whose `Forwarded` and `X-Forwarded-…` fields are believed.
    ///   - redirectPrefix: What a trusted proxy knows the directory of a `LocalDiskBlobStore` by, such as `/_blobs/`: where
    ///     it asks for that with `X-Sendfile-Type: X-Accel-Redirect`, it is told the place of a blob instead of being sent
    ///     it. Nil where the blobs are elsewhere.
    ///   - crossOrigin: Pages of which other origins may use the server.
    ///   - serverName: What every answer says in `Server`, if anything.
    ///   - limiter: Counts requests, where it has a limit for them; the accounts and the authentication are given theirs apart.
    ///   - cache: The shared cache, to say how it does; nil where there is none.
    ///   - scratchDirectory: Where the lists of archives with very many entries lie while they are sent, in files without a name; it must
    ///     be there. Nil for the system's temporary directory.
    ///   - swaggerUI: What `/docs` shows the API with; nil for a plainer page.
    ///   - metrics: Where requests are counted.
    ///   - exposed: What `/metrics` answers to direct clients on this machine; nil for nothing.
    public init(
        storage: FileStorage, accounts: AccountRegistry, authentication: any AuthProvider,
        readiness: Readiness = Readiness(), anonymousUploads: AnonymousUploads = .auto, publicURL: String? = nil,
        trustedProxies: [IPNetwork] = [], redirectPrefix: String? = nil, crossOrigin: CrossOriginPolicy = .none,
        serverName: String? = nil, limiter: RateLimiter? = nil, cache: (any SharedCache)? = nil,
        scratchDirectory: String? = nil, swaggerUI: SwaggerUI? = nil,
        metrics: any MetricsFactory = MetricsSystem.factory, exposed: MetricsRegistry? = nil
    ) {
        // As a field takes it: it is written without one, too.
        self.serverName = serverName.map { HTTPField(name: .server, value: $0).value }
        services = Call.Services(
            storage: storage, accounts: accounts, authentication: authentication, readiness: readiness,
            anonymousUploads: anonymousUploads, publicURL: publicURL, trustedProxies: trustedProxies,
            redirectPrefix: redirectPrefix, crossOrigin: crossOrigin, compressor: Compressor(), heads: PreparedHeads(),
            archives: ArchiveScratch(directory: scratchDirectory ?? ScratchFile.systemDirectory),
            limiter: limiter?.limitsRequests == true ? limiter : nil, cache: cache, swaggerUI: swaggerUI,
            exposed: exposed)
        meters = RequestMeters(metrics)
        table = RouteTable(allRoutes, meters)
        logger = Logger(label: "storage.http")
    }

    /// Who sends a request, by the credentials that the routes take: for routes that an application has beside them.
    ///
    /// A change that a page of another origin makes a browser ask for is refused as the routes refuse it: a browser adds the
    /// credentials that it remembers by itself.
    ///
    /// - Returns: nil for a request without any credential.
    /// - Throws: What a route may throw as it is, since it knows its own answer: 401 for a credential that is not valid, 400 for more
    ///   than one, 403 for a foreign page.
    public func principal(of request: Request, context: Context) async throws -> Principal? {
        do {
            let channel = (context as? any ConnectionRequestContext)?.channel
            let peer = peer(request.head, at: channel?.remoteAddress)
            try services.refuseForeignOrigin(request, from: peer)
            return try await services.principal(of: request, from: peer)
        } catch let error as ParseError {
            throw Problem(error)
        }
    }

    /// Answers a request.
    public func respond(to request: Request, context: Context) async throws -> Response {
        let channel = (context as? any ConnectionRequestContext)?.channel
        let log = accessLog(request.head, from: channel?.remoteAddress)
        let answer: Answer
        do {
            switch try meaning(of: request, log, channel) {
            case .route(let route, let call):
                answer = try await log.tracing { try await route.action(call).compressed(for: call) }
            case .answer(let own): answer = own
            }
        } catch {
            answer = refusal(of: error, log)
        }
        return response(answer, to: request, log)
    }

    /// Answers a request without a body and without a task, where the bytes that it takes are in memory.
    ///
    /// Never waits: it is called on the event loop that the answer is wanted on. For ``StorageHTTP1Channel``: such an answer passes by the middleware of an
    /// application.
    ///
    /// - Parameters:
    ///   - head: The request, which has no body.
    ///   - address: Where the connection came from.
    ///   - eventLoop: Where the answer is wanted.
    /// - Returns: nil where ``respond(to:context:)`` has to be asked, as for every refusal that is known at once.
    public func recall(
        _ head: HTTPRequest, from address: SocketAddress?, on eventLoop: any EventLoop
    ) -> Recalled<CompleteAnswer>? {
        // What is counted takes the long way, where it is counted once.
        guard head.method == .get || head.method == .head, services.limiter == nil else { return nil }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        let log = accessLog(head, from: address)
        guard case .route(let route, let call) = try? meaning(of: request, log, nil),
            let answer = try? route.recall?(call, eventLoop)
        else { return nil }
        return answer.compactMap {
            complete($0, to: request, log)
        } failure: {
            refusal(of: $0, log)
        }
    }

    private func accessLog(_ head: HTTPRequest, from address: SocketAddress?) -> AccessLog {
        let peer = peer(head, at: address)
        proxies.note(peer, logger)
        return AccessLog(head, from: peer, logger: logger, meters: meters)
    }

    private func peer(_ head: HTTPRequest, at address: SocketAddress?) -> Peer {
        Peer(head, from: IPAddress(address), trusted: services.trustedProxies)
    }

    /// What a request asks for.
    private enum Meaning {
        /// What a route does.
        case route(Route, Call)
        /// What the table itself knows.
        case answer(Answer)
    }

    private func meaning(
        of request: Request, _ log: AccessLog, _ channel: (any Channel)?
    ) throws -> Meaning {
        let parsed = Result { try RequestTarget(parsing: request.head.path ?? "/") }
        let found = try? table.resource(at: parsed.get().path)
        let resource = found.flatMap { services.shows($0, to: log.peer) ? $0 : nil }
        if let resource { log.note(resource.meter) }
        // Also one for what is not here.
        if resource?.isUncounted != true { try services.limiter?.countRequest(from: log.peer.client) }
        let target = try parsed.get()
        guard let resource else { throw Problem.noRoute }
        let query = try target.parameters()
        let routes = resource.routes(for: request.headers, query)
        guard let route = routes.first(where: { $0.answers(request.method) }) else {
            let headers: HTTPFields = [.allow: routes.allow]
            guard request.method == .options else {
                throw Problem(
                    .methodNotAllowed, "method_not_allowed", "This path knows \(routes.allow).", headers: headers)
            }
            let preflight = services.crossOrigin.preflight(request.headers, methods: routes.allow)
            return .answer(Answer(.noContent, headers: headers.merging(preflight ?? [:])))
        }
        route.meter.map(log.note)
        try services.refuseForeignOrigin(request, from: log.peer)
        let call = Call(
            request: request, target: target, query: query,
            rest: try route.restAfter.flatMap { try target.rest(afterSegments: $0) } ?? [], peer: log.peer,
            channel: channel, log: log, services: services)
        return .route(route, call)
    }

    private func refusal(of error: any Error, _ log: AccessLog) -> Answer {
        let problem = Problem(error)
        // Nobody is there who could be told of a request that was given up.
        if problem.isFault, !(error is CancellationError) {
            log.logger.error("the request failed", metadata: ["error": "\(error)"])
        } else {
            log.note(refusal: problem.code)
        }
        return .json(
            problem.status, type: Problem.mediaType, headers: problem.headers,
            problem.document(requestID: log.id))
    }

    /// The fields of an answer, with those that every answer has.
    private func headers(of answer: Answer, to request: Request, _ log: AccessLog) -> HTTPFields {
        var headers = answer.headers
        headers[.xRequestID] = log.id
        if headers[.xContentTypeOptions] == nil { headers[.xContentTypeOptions] = "nosniff" }
        // What has nothing to be validated by is of this moment.
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        if let serverName { headers[.server] = serverName }
        services.crossOrigin.permit(request.headers, in: &headers)
        return headers
    }

    /// An answer whose content is in memory, or stays behind; nil for one that would have to be written.
    private func complete(_ answer: Answer, to request: Request, _ log: AccessLog) -> CompleteAnswer? {
        let isHead = request.method == .head
        var content: ByteBuffer?
        var length: Int64?
        switch answer.content {
        case .none: break
        case .bytes(let bytes):
            length = Int64(bytes.readableBytes)
            content = isHead ? nil : bytes
        case .written(let known, _):
            guard isHead else { return nil }
            length = known
        }
        let copied = min(content?.readableBytes ?? 0, CompleteAnswer.mostCopied)
        var head = AnswerHead(answer.status, capacity: 1_024 + copied)
        if let lines = answer.lines, services.crossOrigin == .none {
            head.append(lines)
            head.append(.xRequestID, log.id)
            if let serverName { head.append(.server, serverName) }
        } else {
            head.append(FieldLines(headers(of: answer, to: request, log)))
        }
        if let length { head.append(contentLength: length) }
        head.append(.date, date.text)
        log.finish(answer.status, bytes: content.map { Int64($0.readableBytes) })
        return CompleteAnswer(head, content: content)
    }

    private func response(_ answer: Answer, to request: Request, _ log: AccessLog) -> Response {
        let headers = headers(of: answer, to: request, log)
        let isHead = request.method == .head
        switch answer.content {
        case .none:
            log.finish(answer.status)
            return Response(status: answer.status, headers: headers, isHead: isHead, length: 0)
        case .bytes(let bytes):
            log.finish(answer.status, bytes: Int64(bytes.readableBytes))
            guard isHead else {
                return Response(status: answer.status, headers: headers, body: ResponseBody(byteBuffer: bytes))
            }
            return Response(
                status: answer.status, headers: headers, isHead: true, length: Int64(bytes.readableBytes))
        case .written(let length, let write):
            if isHead {
                log.finish(answer.status)
                return Response(status: answer.status, headers: headers, isHead: true, length: length)
            }
            log.owe(answer.status)
            let body = ResponseBody(contentLength: length.map { Int($0) }) { writer in
                do {
                    try await log.tracing(write, to: &writer)
                    try await writer.finish(nil)
                } catch {
                    log.fail(answer.status, error)
                    throw error
                }
                log.finish(answer.status, bytes: length)
            }
            return Response(status: answer.status, headers: headers, body: body)
        }
    }
}

extension Response {
    /// An answer without content, which in answer to HEAD still tells the length that GET would have.
    fileprivate init(status: HTTPResponse.Status, headers: HTTPFields, isHead: Bool, length: Int64?) {
        var headers = headers
        if isHead { headers[.contentLength] = length.map(String.init) ?? headers[.contentLength] }
        let hasNoLength = isHead && length == nil || status == .noContent || status == .notModified
        self.init(status: status, headers: headers)
        if hasNoLength, headers[.contentLength] == nil { self.headers[.contentLength] = nil }
    }
}

extension RouterMethods {
    /// Mounts all routes of a store; their paths are absolute, so this is called on the application's router itself.
    ///
    /// Every path but `/` answers that the application has no route for; below a prefix of its own routes its 404 stays.
    @discardableResult
    public func add(storage routes: StorageRoutes<Context>) -> Self {
        for method in [HTTPRequest.Method.get, .head, .put, .post, .delete, .options, .patch] {
            on("/**", method: method) { try await routes.respond(to: $0, context: $1) }
        }
        return self
    }
}
