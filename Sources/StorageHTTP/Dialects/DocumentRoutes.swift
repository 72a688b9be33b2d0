import HTTPTypes
import StorageCore

/// The document of the API, for programs and for people.
let documentRoutes = [
    Route(.get, "/openapi.json") { try StaticDocument.openAPI.get().answer(to: $0) },
    Route(.get, "/api/openapi") { try StaticDocument.openAPI.get().answer(to: $0) },
    Route(.get, "/docs") { try StaticDocument.page.get().answer(to: $0) },
    Route(.get, "/") { Answer(.found, headers: [.location: $0.location("/docs")]) },
]
