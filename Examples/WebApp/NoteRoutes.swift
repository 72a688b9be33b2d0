import HTTPTypes
import Hummingbird
import StorageCore

/// Notes that people keep: an API of the application's own, whose texts are ordinary files in the folder `notes` of whoever asks.
///
/// What is thrown by the store is answered as the store's own routes would, with the right status and a problem document.
struct NoteRoutes {
    let storage: FileStorage

    func add(to group: RouterGroup<WebAppContext>) {
        group.get(use: list)
        group.get(":name", use: read)
        group.put(":name", use: write)
    }

    /// The names, one a line.
    private func list(_ request: Request, _ context: WebAppContext) async throws -> String {
        let owner = try context.requirePrincipal()
        let folder = try FilePath("notes")
        let page = try await storage.list(as: owner) { ListQuery(container: $0, scope: .folder(folder)) }
        return page.entries.map { String(decoding: $0.path.name, as: UTF8.self) + "\n" }.joined()
    }

    /// The text of a note, which passes through in chunks and is compared with its digest on the way.
    private func read(_ request: Request, _ context: WebAppContext) async throws -> Response {
        let owner = try context.requirePrincipal()
        guard let container = storage.container(of: owner) else { throw StorageError.noSuchFile }
        let (_, body) = try await storage.open(.path(container.id, try context.note))
        // Somebody chose these bytes: a browser must not take them for anything but text.
        let headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .xContentTypeOptions: "nosniff"]
        return Response(status: .ok, headers: headers, body: ResponseBody(asyncSequence: body))
    }

    /// Keeps a text; answered only after it is on the disk.
    private func write(_ request: Request, _ context: WebAppContext) async throws -> HTTPResponse.Status {
        let length = request.headers[.contentLength].flatMap { Int64($0) }
        let body = ByteStream(request.body, length: length, isReplayable: false)
        let result = try await storage.put(NewFile(path: try context.note), body: body, as: context.requirePrincipal())
        return if case .created = result { .created } else { .noContent }
    }
}

extension WebAppContext {
    /// The file that the path of the request names.
    fileprivate var note: FilePath {
        get throws { try FilePath("notes/" + parameters.require("name")) }
    }

    fileprivate func requirePrincipal() throws -> Principal {
        guard let principal else { throw StorageError.unauthenticated }
        return principal
    }
}
