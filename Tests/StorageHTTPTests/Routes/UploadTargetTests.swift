import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Where an upload goes")
struct UploadTargetTests {
    /// What is sent, and the path that it leads to; nil where it is refused.
    struct Row: Sendable {
        let path: String
        let name: String?
        let target: String?
        var status = HTTPResponse.Status.created
    }

    private static func row(_ path: String, _ name: String?, _ target: String) -> Row {
        Row(path: path, name: name, target: target)
    }

    private static func row(_ path: String, _ name: String?, refused status: HTTPResponse.Status) -> Row {
        Row(path: path, name: name, target: nil, status: status)
    }

    /// Into a tree that has the folders `docs` and `music.d` and the files `notes`, `old.txt` and `README`.
    private static let rows: [Row] = [
        row("docs/", "a.txt", "docs/a.txt"), row("/docs/", "a.txt", "docs/a.txt"), row("new/", "a.txt", "new/a.txt"),
        row("new/deep/", "a", "new/deep/a"), row("/", "a.txt", "a.txt"),
        row("docs", "a.txt", "docs/a.txt"), row("docs", "a", "docs/a"), row("docs", "docs", "docs/docs"),
        row("music.d", "a.mp3", "music.d/a.mp3"), row("music.d", "music.d", "music.d/music.d"),
        row("a.txt", "a.txt", "a.txt"), row("x/a.txt", "a.txt", "x/a.txt"), row("a", "a", "a"), row("x/a", "a", "x/a"),
        row("new", "a.txt", "new/a.txt"), row("x/new", "a.txt", "x/new/a.txt"), row("new", "a", "new"),
        row("b.txt", "a.txt", "b.txt"), row("x/b.txt", "a.png", "x/b.txt"), row("b.txt", "a", "b.txt"),
        row(".hidden", "a.txt", ".hidden"), row("x/dir", "x/y/a.txt", "x/dir/a.txt"),
        row("new/", "C/D/a.txt", "new/a.txt"), row("new/", "/abs/a.txt", "new/a.txt"),
        row("new/", "a%2Fb.txt", "new/a%2Fb.txt"), row("new/", "\u{44f}.txt", "new/\u{44f}.txt"),
        Row(path: "notes", name: "a.txt", target: "notes", status: .ok),
        Row(path: "README", name: "README", target: "README", status: .ok),
        Row(path: "old.txt", name: "new.txt", target: "old.txt", status: .ok),
        Row(path: "", name: "old.txt", target: nil, status: .badRequest),
        Row(path: "/", name: "old.txt", target: "old.txt", status: .ok),
        row("a.txt", nil, "a.txt"), row("x/new", nil, "x/new"), row("new", nil, "new"),
        Row(path: "notes", name: nil, target: "notes", status: .ok),
        row("docs/", nil, refused: .unprocessableContent), row("docs", nil, refused: .unprocessableContent),
        row("/", nil, refused: .unprocessableContent), row("new/", nil, refused: .unprocessableContent),
        row("old.txt/", "a.txt", refused: .conflict), row("old.txt/a.txt", "a.txt", refused: .conflict),
        row("notes/x/y.txt", "a.txt", refused: .conflict), row("old.txt/a.txt", nil, refused: .conflict),
        row("new//", "a.txt", refused: .badRequest), row("//", "a.txt", refused: .badRequest),
        row("//a.txt", "a.txt", refused: .badRequest), row("a//b.txt", "a.txt", refused: .badRequest),
        row("../a.txt", "a.txt", refused: .badRequest), row("./a.txt", "a.txt", refused: .badRequest),
        row("a/..", "a.txt", refused: .badRequest), row("a/../", "a.txt", refused: .badRequest),
        row("new/", "..", refused: .badRequest), row("new/", ".", refused: .badRequest),
        row("new/", "a/..", refused: .badRequest), row("a\u{0}b.txt", "a.txt", refused: .badRequest),
        row("a\nb.txt", "a.txt", refused: .badRequest), row("a\u{7f}", "a.txt", refused: .badRequest),
        row(String(repeating: "x", count: 256), "a.txt", refused: .badRequest),
        row(String(repeating: "x/", count: 512) + "x", "x", refused: .badRequest),
        row("new/", String(repeating: "x", count: 256), refused: .badRequest),
    ]

    private static let before = ["README", "docs/", "music.d/", "notes", "old.txt"]

    private func send(_ row: Row, inQuery: Bool, _ client: RouteClient) async throws -> TestResponse {
        guard let name = row.name else {
            return try await client.send(.post, "/api/v1/files/upload?path=\(query(row.path))", .ann, body: "new bytes")
        }
        let file = ReadPart("file", name, "new bytes")
        guard !inQuery else {
            return try await client.sendForm("/api/v1/files/upload?path=\(query(row.path))", .ann, [file])
        }
        return try await client.sendForm("/api/v1/files/upload", .ann, [file, ReadPart("path", nil, row.path)])
    }

    @Test("is decided by the path, the sent name and what is there", arguments: Transport.allCases, [true, false])
    func table(transport: Transport, inQuery: Bool) async throws {
        try await RouteFixture.with(transport) { client in
            let storage = client.fixture.storage
            let ann = try await client.fixture.principal("ann")
            let container = try #require(storage.container(of: ann)).id
            for row in Self.rows {
                for folder in ["docs", "music.d"] { _ = try await storage.makeFolder(try FilePath(folder), as: ann) }
                for file in ["notes", "old.txt", "README"] { try await client.put("old", at: file) }

                let answer = try await send(row, inQuery: inQuery, client)
                #expect(answer.status == row.status, "\(row): \(answer.text)")
                if let target = row.target {
                    let record = try answer.record()
                    #expect(record.path == "/" + target, "\(row)")
                    let bytes = try await client.send(
                        .get, "/api/files/\(PercentEncoding.encodePath(target.utf8))", .ann)
                    #expect(bytes.text == "new bytes", "\(row)")
                } else {
                    _ = try answer.problem(row.status)
                    let names = try await rootNames(of: ann, storage)
                    #expect(names == Self.before, "\(row)")
                }
                let all = try await storage.list(as: ann) { ListQuery(container: $0, scope: .folder(nil)) }.entries
                for entry in all { try await storage.delete(.id(container, entry.id), recursively: true) }
            }
        }
    }

    private func rootNames(of principal: Principal, _ storage: FileStorage) async throws -> [String] {
        let root = try await storage.list(as: principal) { ListQuery(container: $0, scope: .folder(nil)) }
        return root.entries.map { $0.path.text + ($0.isFolder ? "/" : "") }
    }
}
