import HTTPTypes
import StorageCore

/// The container dialect: plain names below `/api/files`.
let containerRoutes = [
    Route(.get, "/api/files") { exchange in
        let principal = try await exchange.principal()
        let list = ListStream(exchange, principal, .files(prefix: [])) { record, json in
            json.string(utf8: record.path.bytes)
        }
        return try await list.answer {
            $0.beginArray()
        } closing: { json, _ in
            json.endArray()
        }
    },
    Route(.get, "/api/files/{filename}") { exchange in
        let principal = try await exchange.principal()
        let path = try FilePath(exchange.rest)
        return try await Download(exchange).answer(try exchange.selector(.path(path), of: principal))
    },
    Route(.put, "/api/files/{filename}") { exchange in
        let principal = try await exchange.principal()
        let file = NewFile(
            path: try FilePath(exchange.rest), mediaType: exchange.headers[.contentType].flatMap(MediaType.init(parsing:)),
            precondition: try exchange.precondition())
        let result = try await exchange.storage.put(file, body: try exchange.body(), as: principal)
        var headers = result.record?.validators ?? [:]
        if case .created(let record) = result {
            headers[.location] = "/api/files/\(PercentEncoding.encodePath(record.path.bytes))"
        }
        return Answer(.noContent, headers: headers)
    },
    Route(.delete, "/api/files/{filename}") { exchange in
        let principal = try await exchange.principal()
        let selector = try exchange.selector(.path(try FilePath(exchange.rest)), of: principal)
        try await exchange.storage.delete(selector, if: try exchange.precondition())
        return Answer(.noContent)
    },
]
