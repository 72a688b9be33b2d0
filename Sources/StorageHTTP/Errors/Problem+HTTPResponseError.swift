public import Hummingbird
public import StorageCore

/// What the routes of an embedding application throw is answered as the routes of the store answer it.
extension StorageError: HTTPResponseError {
    /// The status that the failure has for a client.
    public var status: HTTPResponse.Status { Problem(self).status }

    /// A problem document (RFC 9457), without what only operators may know.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        try Problem(self).response(from: request, context: context)
    }
}

extension Problem: HTTPResponseError {
    func response(from request: Request, context: some RequestContext) throws -> Response {
        var headers = headers
        headers[.contentType] = Self.mediaType
        var document = document(requestID: context.id)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: document.take()))
    }
}
