import HTTPTypes
public import Hummingbird
import NIOCore

/// What a listener of its own answers to those who watch the server: `GET /metrics`, to everybody who reaches it.
///
/// Asks nobody for credentials: its address decides who may ask.
public struct AdminRoutes<Context: RequestContext>: HTTPResponder {
    private let metrics: MetricsRegistry

    /// Makes the routes over what was counted.
    public init(metrics: MetricsRegistry) {
        self.metrics = metrics
    }

    /// Answers a request.
    public func respond(to request: Request, context: Context) async throws -> Response {
        let isHead = request.method == .head
        guard request.uri.path == "/metrics" else {
            return try Problem.noRoute.response(from: request, context: context)
        }
        guard isHead || request.method == .get else {
            let known: HTTPFields = [.allow: "GET, HEAD"]
            return try Problem(
                .methodNotAllowed, "method_not_allowed", "This path knows GET, HEAD.", headers: known
            ).response(from: request, context: context)
        }
        let answer = try await metrics.answer()
        var headers = answer.headers
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        guard case .bytes(let bytes) = answer.content, !isHead else {
            return Response(status: .ok, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}
