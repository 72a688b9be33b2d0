import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("Routes in an application of somebody else's")
struct MountedRoutesTests {
    /// Runs a test against a router that has a route of its own and knows nothing of the connection.
    private func withApplication(
        _ transport: Transport, _ body: @Sendable (RouteClient) async throws -> Void
    ) async throws {
        let directory = try TemporaryStore()
        let blobs = try await LocalDiskBlobStore.open(directory: directory.path)
        var options = RouteFixture.Options()
        options.blobs = blobs
        let fixture = try RouteFixture(options)
        let router = Router(context: BasicRequestContext.self)
        router.get("/hello") { _, _ in "hello from the application" }
        router.get("/") { _, _ in "the application's own page" }
        router.add(storage: fixture.routes())
        do {
            try await fixture.run(Application(router: router), transport, body)
        } catch {
            await blobs.shutdown()
            throw error
        }
        await blobs.shutdown()
    }

    @Test("live beside its own", arguments: Transport.allCases)
    func ownRoutes(_ transport: Transport) async throws {
        try await withApplication(transport) { client in
            let own = try await client.send(.get, "/hello")
            #expect(own.text == "hello from the application")
            let unknown = try await client.send(.get, "/nobody")
            let code = try unknown.problem(.notFound)
            #expect(code == "no_route")
            let below = try await client.send(.get, "/hello/nobody")
            #expect(below.status == .notFound)
        }
    }

    @Test("stream what would leave by sendfile elsewhere", arguments: Transport.allCases)
    func streams(_ transport: Transport) async throws {
        try await withApplication(transport) { client in
            let whole = ByteBuffer.random(count: 700_000, seed: 3)
            let put = try await client.client.executeRequest(
                uri: "/api/files/large.bin", method: .put, headers: .ann, body: whole)
            #expect(put.status == .noContent)
            let answer = try await client.send(.get, "/api/files/large.bin", .ann)
            #expect(answer.body == whole)
            #expect(answer.headers[.contentLength] == "700000")
            let range = HTTPFields.ann.merging([.range: "bytes=100000-399999"])
            let part = try await client.send(.get, "/api/files/large.bin", range)
            #expect(part.status == .partialContent)
            #expect(part.body == whole.getSlice(at: 100_000, length: 300_000))
            let head = try await client.send(.head, "/api/files/large.bin", .ann)
            #expect(head.status == .ok)
            #expect(head.headers[.contentLength] == "700000")
        }
    }

    @Test("answer every method and path as they do alone", arguments: Transport.allCases)
    func frame(_ transport: Transport) async throws {
        try await withApplication(transport) { client in
            let upload = try await client.sendForm(
                "/api/v1/files/upload", .ann, [ReadPart("path", nil, "docs/"), ReadPart("file", "a b.txt", "hello")])
            #expect(upload.status == .created)
            let names = try await client.paths()
            #expect(names == ["docs/a b.txt"])
            let escaped = try await client.send(.get, "/api/files/docs%2Fa%20b.txt", .ann)
            #expect(escaped.text == "hello")
            let options = try await client.send(.options, "/api/files")
            #expect(options.status == .noContent)
            #expect(options.headers[.allow] == "DELETE, GET, HEAD, OPTIONS, POST")
            let wrong = try await client.send(.put, "/api/files", .ann)
            #expect(wrong.status == .methodNotAllowed)
            let slash = try await client.send(.get, "/api/files/", .ann)
            #expect(slash.status == .ok)
            let nobody = try await client.send(.get, "/api/files")
            _ = try nobody.problem(.unauthorized)
            let root = try await client.send(.get, "/")
            #expect(root.text == "the application's own page")
        }
    }
}
