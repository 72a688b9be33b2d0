import HTTPTypes
public import Hummingbird
import Logging
public import NIOCore
public import StorageCore

/// A request context that knows its connection, which lets files leave by `sendfile`.
public protocol ConnectionRequestContext: RequestContext {
    /// The connection that the request came in on.
    var channel: any Channel { get }
}

/// The context that the daemon uses; an embedding application may use any other.
public struct StorageRequestContext: ConnectionRequestContext {
    /// What every context has.
    public var coreContext: CoreRequestContextStorage
    /// The connection that the request came in on.
    public let channel: any Channel

    /// Takes over the connection.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// Every route there is, as the OpenAPI document describes them.
let allRoutes =
    operationRoutes + documentRoutes + accountRoutes + sessionRoutes + userRoutes + fileRoutes + hashRoutes
    + containerRoutes
    + uidRoutes

/// All routes, as a responder that answers every request and never throws.
///
/// Generic over the context: an embedding Hummingbird application uses it as its responder, or mounts it into its own router with
/// `router.add(storage:)`.
public struct StorageRoutes<Context: RequestContext>: HTTPResponder {
    private let table: RouteTable
    private let services: Call.Services
    private let logger: Logger
    private let serverName: String?
    private let date = DateField()

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
    ///   - crossOrigin: Pages of which other origins may use the server.
    ///   - serverName: What every answer says in `Server`, if anything.
    public init(
        storage: FileStorage, accounts: AccountRegistry, authentication: any AuthProvider,
        readiness: Readiness = Readiness(), anonymousUploads: AnonymousUploads = .auto, publicURL: String? = nil,
        trustedProxies: [IPNetwork] = [], crossOrigin: CrossOriginPolicy = .none, serverName: String? = nil
    ) {
        self.serverName = serverName
        services = Call.Services(
            storage: storage, accounts: accounts, authentication: authentication, readiness: readiness,
            anonymousUploads: anonymousUploads, publicURL: publicURL, trustedProxies: trustedProxies,
            crossOrigin: crossOrigin)
        table = RouteTable(allRoutes)
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
            try services.refuseForeignOrigin(request, from: peer(request.head, at: channel?.remoteAddress))
            return try await services.principal(of: request)
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
            case .route(let route, let call): answer = try await route.action(call)
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
        guard head.method == .get || head.method == .head else { return nil }
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
        AccessLog(head, from: peer(head, at: address), logger: logger)
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
        let target = try RequestTarget(parsing: request.head.path ?? "/")
        guard let resource = table.resource(at: target.path) else {
            throw Problem(.notFound, "no_route", "There is nothing at this path.")
        }
        log.note(route: resource.path)
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
        log.note(route: route.path)
        try services.refuseForeignOrigin(request, from: log.peer)
        let call = Call(
            request: request, target: target, query: query,
            rest: try route.restAfter.flatMap { try target.rest(afterSegments: $0) } ?? [], peer: log.peer,
            channel: channel, log: log, services: services)
        return .route(route, call)
    }

    private func refusal(of error: any Error, _ log: AccessLog) -> Answer {
        let problem = Problem(error)
        if problem.isFault {
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
        if let serverName { headers[.server] = serverName }
        services.crossOrigin.permit(request.headers, in: &headers)
        return headers
    }

    /// An answer whose content is in memory, or stays behind; nil for one that would have to be written.
    private func complete(_ answer: Answer, to request: Request, _ log: AccessLog) -> CompleteAnswer? {
        var headers = headers(of: answer, to: request, log)
        headers[.date] = date.text
        let isHead = request.method == .head
        var content: ByteBuffer?
        switch answer.content {
        case .none: break
        case .bytes(let bytes):
            headers[.contentLength] = String(bytes.readableBytes)
            content = isHead ? nil : bytes
        case .written(let length, _):
            guard isHead else { return nil }
            headers[.contentLength] = length.map(String.init)
        }
        log.finish(answer.status, bytes: content.map { Int64($0.readableBytes) })
        return CompleteAnswer(HTTPResponse(status: answer.status, headerFields: headers), content: content)
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
            let body = ResponseBody(contentLength: length.map { Int($0) }) { writer in
                do {
                    try await write(&writer)
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
