import HTTPTypes
import StorageCore

/// The container dialect: plain names below `/api/files`.
let containerRoutes = [
    Route(.get, "/api/files") { call in
        let principal = try await call.principal()
        let list = ListStream(call, principal, .files(prefix: [])) { record, json in
            json.string(utf8: record.path.bytes)
        }
        return try await list.answer {
            $0.beginArray()
        } closing: { json, _ in
            json.endArray()
        }
    },
    .download("/api/files/{filename}") { .path(try $0.filename) },
    Route(.put, "/api/files/{filename}") { call in
        let principal = try await call.principal()
        let file = NewFile(
            path: try call.filename, mediaType: call.rawMediaType,
            precondition: try call.precondition())
        let result = try await call.storage.put(file, body: try call.body(), as: principal)
        var headers = result.record?.validators ?? [:]
        if case .created(let record) = result {
            headers[.location] = call.location("/api/files/\(PercentEncoding.encodePath(record.path.bytes))")
        }
        return Answer(.noContent, headers: headers)
    },
    Route(.delete, "/api/files/{filename}") { call in
        let principal = try await call.principal()
        let selector = try await call.selector(.path(try call.filename), of: principal)
        try await call.storage.delete(selector, if: try call.precondition())
        return Answer(.noContent)
    },
]

extension Call {
    /// The rest of the path as the name of a file. Unlike a path in a query it has no root to be written from: a slash in front would
    /// stand behind an empty segment.
    fileprivate var filename: FilePath {
        get throws {
            guard rest.first != ASCII.slash else {
                throw StorageError(.invalidPath, "A path must not have an empty segment.")
            }
            return try FilePath(rest)
        }
    }
}
