import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore

/// A listing as an answer: one page where the client asks for one, else everything, streamed page by page.
struct ListStream: Sendable {
    /// Writes one entry.
    typealias Entry = @Sendable (FileRecord, inout JSONWriter) -> Void

    private let call: Call
    private let principal: Principal
    private let scope: ListQuery.Scope
    private let kind: FileKind?
    private let entry: Entry

    init(
        _ call: Call, _ principal: Principal, _ scope: ListQuery.Scope, kind: FileKind? = nil,
        entry: @escaping Entry
    ) {
        self.call = call
        self.principal = principal
        self.scope = scope
        self.kind = kind
        self.entry = entry
    }

    /// The answer.
    ///
    /// - Parameters:
    ///   - opening: Writes what comes before the entries; they are elements of the array that it leaves open.
    ///   - closing: Writes what comes behind, given the cursor of the next page.
    func answer(
        opening: @escaping @Sendable (inout JSONWriter) -> Void,
        closing: @escaping @Sendable (inout JSONWriter, _ cursor: String?) -> Void
    ) async throws -> Answer {
        let after = try cursor()
        let limit = try call.pageLimit()
        let first = try await page(after: after, limit: limit ?? Self.batch)
        guard limit == nil, first.hasMore else {
            var json = JSONWriter(capacity: 256 + first.entries.count * 400)
            opening(&json)
            for record in first.entries { entry(record, &json) }
            let next = first.hasMore ? first.entries.last.map { Hexadecimal.encode($0.path.bytes) } : nil
            closing(&json, next)
            var answer = Answer.json(.ok, headers: Self.headers, json)
            if let next { answer.headers[.link] = call.link(toPageAt: next) }
            return answer
        }
        var headers = Self.headers
        headers[.contentType] = "application/json"
        return Answer(
            .ok, headers: headers,
            content: .written(length: nil) { writer in
                var json = JSONWriter(capacity: 256 * 1_024)
                opening(&json)
                var page = first
                while true {
                    for record in page.entries { entry(record, &json) }
                    guard page.hasMore, let last = page.entries.last else { break }
                    try await writer.write(json.take())
                    page = try await self.page(after: last.path, limit: Self.batch)
                }
                closing(&json, nil)
                try await writer.write(json.take())
            })
    }

    private func page(after: FilePath?, limit: Int) async throws -> Page<FileRecord> {
        try await call.storage.list(as: principal) {
            ListQuery(container: $0, scope: scope, kind: kind, after: after, limit: limit)
        }
    }

    private func cursor() throws -> FilePath? {
        guard let value = try call.query.value("cursor") else { return nil }
        guard let path = try Hexadecimal.decode(value).map({ try FilePath($0) }) else {
            throw Problem.invalidCursor
        }
        return path
    }

    private static let batch = 1_000
    private static let headers: HTTPFields = [.vary: "Authorization, X-Auth-Token"]
}
