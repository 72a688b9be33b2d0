import Hummingbird
import NIOCore
import StorageCore
import StorageHTTP

/// What the application knows of a request: as any context of its own, and the connection, so that files leave by `sendfile`.
struct WebAppContext: ConnectionRequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Who asks, in routes behind ``SignedIn``.
    var principal: Principal?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Lets only those pass whom the routes of the store would let pass, and says who they are.
struct SignedIn: RouterMiddleware {
    let files: StorageRoutes<WebAppContext>

    func handle(
        _ request: Request, context: WebAppContext, next: (Request, WebAppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        guard let principal = try await files.principal(of: request, context: context) else {
            throw StorageError.unauthenticated
        }
        context.principal = principal
        return try await next(request, context)
    }
}
