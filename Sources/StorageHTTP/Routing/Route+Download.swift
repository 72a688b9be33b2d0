import HTTPTypes
import StorageCore

extension Route {
    /// A download of one's own files: how the request names them is all that the dialects differ in, and whether it may ask for an
    /// archive.
    static func download(
        _ path: String, as archive: @escaping @Sendable (Call) throws -> ArchiveFormat? = { _ in nil },
        of reference: @escaping @Sendable (Call) throws -> FileReference
    ) -> Route {
        var route = Route(.get, path) { call in
            let principal = try await call.principal()
            let format = try archive(call)
            let reference = try reference(call)
            let selector = try await call.selector(reference, of: principal)
            guard let format else {
                return try await Download(call, isOfRevision: reference.isRevision).answer(selector)
            }
            return try await Archive(call, format).answer(selector)
        }
        route.recall = { call, eventLoop in
            guard try archive(call) == nil,
                let container = call.recalledPrincipal().flatMap({ call.storage.container(of: $0) }),
                case .path(let path) = try reference(call)
            else { return nil }
            return try Download(call).recall(.path(container.id, path), on: eventLoop)
        }
        return route
    }

    /// A download that needs no credentials, by a public name.
    static func publicDownload(
        _ path: String, where condition: Condition? = nil, of link: @escaping @Sendable (Call) throws -> Link
    ) -> Route {
        var route = Route(.get, path, where: condition) { call in
            try await Download(call, isPublic: true).answer(.link(try link(call)))
        }
        route.recall = { call, eventLoop in
            try Download(call, isPublic: true).recall(.link(try link(call)), on: eventLoop)
        }
        return route
    }
}
