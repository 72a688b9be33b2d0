import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Listing")
struct ListTests {
    private static let records = "/api/v1/files"
    private static let names = "/api/files"

    /// Many names, of which some are not in byte order where people would put them.
    private static let many = (0..<2_345).map { "many/\($0 % 10)/\($0)" }.sorted(by: precedes)

    private static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    /// Stores one small file at each path, below the routes.
    private func fill(_ paths: [String], _ client: RouteClient) async throws {
        let ann = try await client.fixture.principal("ann")
        let staged = try await client.fixture.storage.stage(ByteStream(ByteBuffer(string: "x")), as: ann)
        for path in paths {
            _ = try await client.fixture.storage.put(NewFile(path: try FilePath(path)), staged: staged, as: ann)
        }
        await client.fixture.storage.discard(staged)
    }

    private func paths(_ answer: TestResponse) throws -> [String] {
        #expect(answer.status == .ok, "\(answer.text)")
        guard answer.text.hasPrefix("{") else { return try answer.decoded([String].self) }
        return try answer.decoded(ListDocument.self).files.map { String($0.path.dropFirst()) }
    }

    @Test("longer than a thousand entries is complete and in order", arguments: Transport.allCases, [records, names])
    func long(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            for count in [999, 1_000, 1_001, 2_000, 2_345] {
                try await fill(Array(Self.many.prefix(count)), client)
                let answer = try await client.send(.get, uri, .ann)
                let listed = try paths(answer)
                #expect(listed == Array(Self.many.prefix(count)), "\(count)")
                #expect(answer.headers[.contentType] == "application/json")
                #expect(answer.headers[.link] == nil)
            }
        }
    }

    @Test("is in byte order of the paths", arguments: Transport.allCases, [records, names])
    func order(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            let names = [
                "A", "Z", "a", "a b", "a!", "a-b", "a.b", "a0", "aa", "b/c", "b c/d", "b-/d", "b.d", "b0", "e\u{301}",
                "\u{e9}",
                "\u{44f}", "\u{1f4c4}", "z",
            ]
            try await fill(names.shuffled(), client)
            let listed = try paths(try await client.send(.get, uri, .ann)).map { Array($0.utf8) }
            #expect(listed == names.sorted(by: Self.precedes).map { Array($0.utf8) })
        }
    }

    /// Follows `Link` from page to page; between two pages `meanwhile` may change the tree.
    private func pages(
        _ first: String, _ client: RouteClient, meanwhile: (Int) async throws -> Void = { _ in }
    ) async throws -> [[String]] {
        var pages: [[String]] = []
        var next: String? = first
        while let uri = next {
            let answer = try await client.send(.get, uri, .ann)
            pages.append(try paths(answer))
            let link = answer.headers[.link]
            if answer.text.hasPrefix("{") {
                let cursor = try answer.decoded(ListDocument.self).cursor
                #expect((cursor == nil) == (link == nil))
                if let cursor { #expect(link?.contains(cursor) == true) }
            }
            next = try link.map { link in
                let match = try #require(link.wholeMatch(of: /<http:\/\/localhost(\/[^>]*)>; rel="next"/), "\(link)")
                return String(match.1)
            }
            try await meanwhile(pages.count)
            try #require(pages.count < 1_000)
        }
        return pages
    }

    @Test("in pages gives every entry once, in order", arguments: Transport.allCases, [records, names])
    func pages(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            let all = Array(Self.many.prefix(1_050))
            try await fill(all, client)
            for limit in [50, 100, 999, 1_000] {
                let pages = try await pages("\(uri)?limit=\(limit)", client)
                #expect(pages.flatMap { $0 } == all)
                #expect(pages.dropLast().allSatisfy { $0.count == limit })
                #expect(pages.last?.isEmpty == false)
            }
            let exact = try await pages("\(uri)?limit=1000&prefix=many/1", client)
            #expect(exact.count == 1 || uri == Self.names)
        }
    }

    @Test(
        "in pages repeats and skips no other entry when entries come and go", arguments: Transport.allCases,
        [records, names])
    func changingPages(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            let all = (0..<30).map { "f\(100 + $0)" }
            try await fill(all, client)
            let pages = try await pages("\(uri)?limit=10", client) { page in
                switch page {
                case 1:
                    // Before the cursor, at it and behind it.
                    try await fill(["f000", "f1091", "f1155"], client)
                    try await client.send(.delete, "/api/files/f109", .ann)
                    try await client.send(.delete, "/api/files/f125", .ann)
                case 2:
                    try await client.send(.delete, "/api/files/f100", .ann)
                default: break
                }
            }
            let expected = all.filter { $0 != "f125" } + ["f1091", "f1155"]
            #expect(pages.flatMap { $0 } == expected.sorted())
        }
    }

    @Test("in pages of one folder shows its folders, too", arguments: Transport.allCases)
    func folderPages(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await fill(["a", "b/x", "b/y", "c/d/e", "f+g/h", "z"], client)
            let root = try await pages("\(Self.records)?folder=/&limit=2", client)
            #expect(root == [["a", "b"], ["c", "f+g"], ["z"]])
            let below = try await pages("\(Self.records)?folder=f%2Bg&limit=1", client)
            #expect(below == [["f+g/h"]])
        }
    }

    @Test("takes a limit from 1 to 1000 and a cursor that it gave", arguments: Transport.allCases, [records, names])
    func badPages(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            for limit in ["0", "1001", "-1", "+1", "", "a", "1.0", "%201", "99999999999999999999", "%31%00"] {
                let code = try await client.send(.get, "\(uri)?limit=\(limit)", .ann).problem(.badRequest)
                #expect(["invalid_limit", "invalid_query"].contains(code), "\(limit)")
            }
            for cursor in ["", "x", "6", "zz", "2f2f", "2e2e", "00"] {
                let answer = try await client.send(.get, "\(uri)?limit=1&cursor=\(cursor)", .ann)
                _ = try answer.problem(.badRequest)
            }
            for limit in ["1", "1000", "007"] {
                let answer = try await client.send(.get, "\(uri)?limit=\(limit)", .ann)
                #expect(answer.status == .ok, "\(limit)")
            }
        }
    }

    @Test("is narrowed to what begins alike, to a folder and to a kind", arguments: Transport.allCases)
    func narrowed(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await fill(["a.png", "ab/c.txt", "ab/d.png", "abc.mp3", "ab\u{44f}", "b/c/d.txt", "x+y/z"], client)
            _ = try await client.fixture.storage.makeFolder(
                try FilePath("empty"), as: try await client.fixture.principal("ann"))
            let rows: [(String, [String])] = [
                ("prefix=a", ["a.png", "ab/c.txt", "ab/d.png", "abc.mp3", "ab\u{44f}"]),
                ("prefix=/ab/", ["ab/c.txt", "ab/d.png"]), ("prefix=ab%D1", ["ab\u{44f}"]), ("prefix=nothing", []),
                ("prefix=x%2By", ["x+y/z"]), ("prefix=x+y", []), ("prefix=empty", []),
                ("folder=/", ["a.png", "ab", "abc.mp3", "ab\u{44f}", "b", "empty", "x+y"]),
                ("folder=", ["a.png", "ab", "abc.mp3", "ab\u{44f}", "b", "empty", "x+y"]),
                ("folder=ab", ["ab/c.txt", "ab/d.png"]), ("folder=/ab/", ["ab/c.txt", "ab/d.png"]),
                ("folder=b", ["b/c"]),
                ("folder=empty", []), ("folder=nothing", []), ("folder=a.png", []),
                ("kind=image", ["a.png", "ab/d.png"]), ("kind=media", ["abc.mp3"]),
                ("kind=text", ["ab/c.txt", "b/c/d.txt"]),
                ("kind=other", ["ab\u{44f}", "x+y/z"]), ("kind=text&prefix=ab", ["ab/c.txt"]),
                ("kind=image&folder=ab", ["ab/d.png"]), ("kind=other&folder=/", ["ab\u{44f}"]),
            ]
            for (question, expected) in rows {
                let listed = try paths(try await client.send(.get, "\(Self.records)?\(question)", .ann))
                #expect(listed == expected, "\(question)")
            }
            for question in [
                "kind=images", "kind=", "kind=Image", "folder=..", "folder=a//b", "prefix=a&folder=b",
                "kind=text&kind=image",
            ] {
                let answer = try await client.send(.get, "\(Self.records)?\(question)", .ann)
                _ = try answer.problem(.badRequest)
            }
        }
    }

    @Test("names its owner", arguments: Transport.allCases)
    func owner(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let ann = try await client.fixture.principal("ann")
            let answer = try await client.send(.get, Self.records, .ann)
            let members = try answer.members()
            #expect(members == ["account", "account_id", "files"])
            let document = try answer.decoded(ListDocument.self)
            #expect(document.account == "ann")
            #expect(document.accountId == ann.account?.id.description)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.headers[.vary] == "Authorization, X-Auth-Token")
        }
    }

    @Test("links to the public address of the server where it has one", arguments: Transport.allCases)
    func publicURL(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.publicURL = "https://files.example/base" }) { client in
            try await fill(["a", "b"], client)
            let link = try await client.send(.get, "\(Self.names)?limit=1", .ann).headers[.link]
            #expect(link?.hasPrefix("<https://files.example/base/api/files?") == true)
        }
    }
}
