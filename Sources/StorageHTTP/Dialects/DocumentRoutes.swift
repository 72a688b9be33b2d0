import HTTPTypes
import StorageCore

/// The document of the API, for programs and for people.
let documentRoutes = [
    Route(.get, "/openapi.json") { try StaticDocument.openAPI.get().answer(to: $0) },
    Route(.get, "/api/openapi") { try StaticDocument.openAPI.get().answer(to: $0) },
    Route(.get, "/docs") { try ($0.services.swaggerUI?.page ?? StaticDocument.page.get()).answer(to: $0) },
    Route(.get, "/docs/{file}") { call in
        let name = String(decoding: call.parameter, as: UTF8.self)
        guard let file = call.services.swaggerUI?.files[name] else {
            throw StorageError(.notFound, "The page has no such file.")
        }
        return file.answer(to: call)
    },
    Route(.get, "/") { Answer(.found, headers: [.location: $0.location("/docs")]) },
]
