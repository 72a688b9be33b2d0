import Foundation
import NIOCore
import StorageCore
import StorageSQL
import StorageSQLite
import Testing

@Suite("Code in the documents")
struct DocumentedCodeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../..")

    /// The files below a folder whose names end so.
    private static func files(below folder: String, named suffix: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
            .filter { $0.hasSuffix(suffix) }.map { "\(folder)/\($0)" }
    }

    private static func lines(of path: String) throws -> [String] {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8).components(separatedBy: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test("is code that is compiled: every line stands in an example or a test too")
    func isCompiled() throws {
        let sources = try files(["Examples", "Tests"], ".swift").flatMap(Self.lines)
        let documents = try files(["Sources", "Migrations"], ".md") + ["README.md", "Examples/README.md"]
        var count = 0
        for document in documents {
            for line in try Self.code(in: document) {
                count += 1
                #expect(sources.contains { $0.contains(line) }, "\(document): \(line)")
            }
        }
        #expect(count > 50, "The documents have more code than that.")
    }

    private func files(_ folders: [String], _ suffix: String) throws -> [String] {
        try folders.flatMap { try Self.files(below: $0, named: suffix) }
    }

    /// The lines of Swift in a document; manifests, which are no code of a program, left out.
    private static func code(in document: String) throws -> [String] {
        let text = try lines(of: document).joined(separator: "\n")
        let parts = "\n\(text)".components(separatedBy: "\n```")
        return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
            .filter { $0.hasPrefix("swift\n") && !$0.contains("swift-tools-version") }
            .flatMap { $0.components(separatedBy: "\n").dropFirst() }
            .filter { $0.count > 1 }
    }

    @Test("does what the articles say: a token's owner puts, opens and lists files")
    func embedding() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory + "/data"
            let blobs = try await LocalDiskBlobStore.open(directory: data)
            let metadata = try await SQLMetadataStore.sqlite(path: data + "/storaged.sqlite")
            try await embed(FileStorage(metadata: metadata, blobs: blobs), metadata)
            try await metadata.close()
            await blobs.shutdown()
        }
        let metadata = InMemoryMetadataStore()
        try await embed(FileStorage(metadata: metadata, blobs: InMemoryBlobStore()), metadata)
    }

    private func embed(_ storage: FileStorage, _ metadata: any MetadataStore) async throws {
        let authentication = try BuiltInAuthentication(metadata: metadata)
        let ada = try await authentication.accounts.register(
            login: Array("ada".utf8), password: Array("correct horse battery".utf8), email: nil, as: nil)
        let token = Array(try await authentication.accounts.issueToken(for: ada, label: nil).text.utf8)
        guard let owner = try await authentication.authenticate(.bearer(token)) else {
            throw StorageError.unauthenticated
        }

        let buffer = ByteBuffer(string: "water the plants")
        _ = try await storage.put(NewFile(path: FilePath("reports/2026.pdf")), body: ByteStream(buffer), as: owner)
        do {
            let body = ByteStream(buffer)
            let result = try await storage.put(NewFile(path: try FilePath("notes/today.txt")), body: body, as: owner)
            guard case .created = result else {
                Issue.record("The file was not there before, but the result is \(result).")
                return
            }
        }
        guard let container = storage.container(of: owner) else { throw StorageError.noSuchFile }
        let (record, body) = try await storage.open(.path(container.id, try FilePath("notes/today.txt")))
        let read = try await body.collect(upTo: 100)
        #expect(read == buffer)
        #expect(record.path.description == "/notes/today.txt")
        let page = try await storage.list(as: owner) { ListQuery(container: $0) }
        #expect(page.entries.map(\.path.description) == ["/notes/today.txt", "/reports/2026.pdf"])
        await authentication.shutdown()
    }
}
