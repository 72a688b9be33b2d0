import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

/// The heads of downloads that are remembered.
@Suite("A head that is remembered")
struct PreparedHeadTests {
    @Test("is another one when the file was overwritten, moved, or is asked for in another way")
    func follows() async throws {
        try await RouteFixture.with(.router) { client in
            let ann = HTTPFields.ann
            let path = "/api/v1/files/download?path="
            try await client.send(.put, "/api/files/a.txt", ann.merging([.contentType: "text/plain"]), body: "one")
            let first = try await client.send(.get, path + "/a.txt", ann)
            let again = try await client.send(.get, path + "/a.txt", ann)
            #expect(again.headers[.eTag] == first.headers[.eTag])

            try await client.send(.put, "/api/files/a.txt", ann.merging([.contentType: "image/png"]), body: "other")
            let second = try await client.send(.get, path + "/a.txt", ann)
            #expect(second.headers[.eTag] != first.headers[.eTag])
            #expect(second.headers[.contentType] == "image/png")
            #expect(second.text == "other")

            let shown = try await client.send(.get, path + "/a.txt&inline=1", ann)
            #expect(shown.headers[.contentDisposition]?.hasPrefix("inline") == true)
            let part = try await client.send(.get, path + "/a.txt", ann.merging([.range: "bytes=1-2"]))
            #expect((part.status, part.text) == (.partialContent, "th"))

            let move = #"{"from": "/a.txt", "to": "/b.txt"}"#
            let json = ann.merging([.contentType: "application/json"])
            try await client.send(.post, "/api/v1/files/move", json, body: move)
            let moved = try await client.send(.get, path + "/b.txt", ann)
            #expect(moved.headers[.eTag] == second.headers[.eTag])
            #expect(moved.headers[.contentDisposition]?.contains("b.txt") == true)
        }
    }

    @Test("of a public file is not the one that its owner gets")
    func publicName() async throws {
        try await RouteFixture.with(.router) { client in
            let form = HTTPFields.ann.merging([.contentDisposition: "attachment; filename=\"sent.txt\""])
            let answer = try await client.send(.post, "/api/files", form, body: "shared")
            let hash = try #require(answer.headers[.location])
            let own = "/api/v1/files/download?path=/by-hash/" + (hash.split(separator: "/").last.map(String.init) ?? "")
            for _ in 0..<2 {
                let shared = try await client.send(.get, hash, [:])
                let mine = try await client.send(.get, own, .ann)
                #expect(shared.headers[.cacheControl] == "public, max-age=3600")
                #expect(mine.headers[.cacheControl] == "private, no-cache")
                #expect(shared.headers[.eTag] == mine.headers[.eTag])
            }
        }
    }
}

@Suite("The ids of requests")
struct RequestIDTests {
    @Test("are UUIDs of version 7, each another one")
    func distinct() {
        let ids = (0..<10_000).map { _ in RequestIDs.next() }
        #expect(Set(ids).count == ids.count)
        for id in ids.prefix(100) {
            let text = Array(id.utf8)
            #expect(CanonicalUUID.parse(text) != nil)
            #expect(text[14] == UInt8(ascii: "7"))
            #expect("89ab".utf8.contains(text[19]))
        }
    }
}
