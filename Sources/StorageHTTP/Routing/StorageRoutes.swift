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

    /// Makes the routes over a store.
    ///
    /// - Parameters:
    ///   - anonymousUploads: Whether the dialect that knows no accounts stores files for those who send no credentials.
    ///   - publicURL: Base of every absolute URL, without a slash at its end; nil takes it from the request.
    ///   - trustedProxies: Whose `Forwarded` and `X-Forwarded-…` fields are believed.
    ///   - crossOrigin: Pages of which other origins may use the server.
    public init(
        storage: FileStorage, accounts: AccountRegistry, authentication: any AuthProvider,
        readiness: Readiness = Readiness(), anonymousUploads: AnonymousUploads = .auto, publicURL: String? = nil,
        trustedProxies: [IPNetwork] = [], crossOrigin: CrossOriginPolicy = .none
    ) {
        services = Call.Services(
            storage: storage, accounts: accounts, authentication: authentication, readiness: readiness,
            anonymousUploads: anonymousUploads, publicURL: publicURL, trustedProxies: trustedProxies,
            crossOrigin: crossOrigin)
        table = RouteTable(allRoutes)
        logger = Logger(label: "storage.http")
    }

    /// Answers a request.
    public func respond(to request: Request, context: Context) async throws -> Response {
        let channel = (context as? any ConnectionRequestContext)?.channel
        let peer = Peer(request.head, from: IPAddress(channel?.remoteAddress), trusted: services.trustedProxies)
        let log = AccessLog(request, from: peer, logger: logger)
        let answer: Answer
        do {
            answer = try await self.answer(request, peer, log, channel)
        } catch {
            answer = refusal(of: error, log)
        }
        return response(answer, to: request, log)
    }

    private func answer(
        _ request: Request, _ peer: Peer, _ log: AccessLog, _ channel: (any Channel)?
    ) async throws -> Answer {
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
            return Answer(.noContent, headers: headers.merging(preflight ?? [:]))
        }
        log.note(route: route.path)
        try services.refuseForeignOrigin(request, from: peer)
        let call = Call(
            request: request, target: target, query: query,
            rest: try route.restAfter.flatMap { try target.rest(afterSegments: $0) } ?? [], id: log.id, peer: peer,
            channel: channel, logger: log.logger, services: services)
        return try await route.action(call)
    }

    private func refusal(of error: any Error, _ log: AccessLog) -> Answer {
        let problem = Problem(error)
        if problem.isFault {
            log.logger.error("the request failed", metadata: ["error": "\(error)"])
        } else {
            log.note(refusal: problem.code)
        }
        return .json(
            problem.status, type: "application/problem+json", headers: problem.headers,
            problem.document(requestID: log.id))
    }

    private func response(_ answer: Answer, to request: Request, _ log: AccessLog) -> Response {
        var headers = answer.headers
        headers[.xRequestID] = log.id
        if headers[.xContentTypeOptions] == nil { headers[.xContentTypeOptions] = "nosniff" }
        services.crossOrigin.permit(request.headers, in: &headers)
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
    /// Every path answers that the application has no route for, but below a prefix of its own routes the application's 404 stays.
    @discardableResult
    public func add(storage routes: StorageRoutes<Context>) -> Self {
        for method in [HTTPRequest.Method.get, .head, .put, .post, .delete, .options, .patch] {
            on("/", method: method) { try await routes.respond(to: $0, context: $1) }
            on("/**", method: method) { try await routes.respond(to: $0, context: $1) }
        }
        return self
    }
}
