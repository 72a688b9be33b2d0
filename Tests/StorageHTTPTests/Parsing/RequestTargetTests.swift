import Testing

@testable import StorageHTTP

@Suite("Request target")
struct RequestTargetTests {
    @Test(
        "is split at the first question mark, and nothing is decoded",
        arguments: [
            ("/", "/", nil), ("/a/b.txt", "/a/b.txt", nil), ("/a?", "/a", ""), ("/a?b=c", "/a", "b=c"),
            ("/a?b?c", "/a", "b?c"), ("/a%3Fb?c", "/a%3Fb", "c"), ("/a#f", "/a", nil), ("/a?b#f?x", "/a", "b"),
            ("/a#f?b", "/a", nil), ("*", "*", nil), ("//a", "//a", nil), ("/a+b?c+d", "/a+b", "c+d"),
            ("http://host/a?b", "/a", "b"), ("HTTPS://host:1/a", "/a", nil), ("http://host", "/", nil),
            ("http://host?b", "/", "b"), ("/файл", "/файл", nil), ("/%zz", "/%zz", nil),
        ] as [(String, String, String?)])
    func splits(target: String, path: String, query: String?) throws {
        let parsed = try RequestTarget(parsing: target)
        #expect(parsed.path == Array(path.utf8))
        #expect(parsed.query == query.map { Array($0.utf8) })
    }

    @Test(
        "that is no path and no http URL, or has white space, controls or repaired bytes, is refused",
        arguments: [
            "", "a", "a/b", "?a", "#", "**", "*/", "ftp://host/a", "http:/a", "http://", "http:///a", "http//a", "/a b",
            "/a\tb", "/a\r\nb", "/a\u{0}", "/a\u{7F}", "/a\u{FFFD}", "/a?\u{FFFD}", " /a", "/a ",
        ])
    func refuses(target: String) {
        #expect(throws: ParseError.self) { try RequestTarget(parsing: target) }
    }

    @Test(
        "gives its segments decoded once",
        arguments: [
            ("/", [""]), ("/a/b", ["a", "b"]), ("/a%2Fb/c", ["a/b", "c"]), ("/a//b/", ["a", "", "b", ""]),
            ("/%252e", ["%2e"]), ("/%2e%2E/x", ["..", "x"]), ("/a+b", ["a+b"]), ("/%D1%84", ["ф"]), ("/%00", ["\u{0}"]),
        ])
    func segments(target: String, segments: [String]) throws {
        #expect(try RequestTarget(parsing: target).segments() == segments.map { Array($0.utf8) })
    }

    @Test(
        "gives the rest of the path as one decoded name",
        arguments: [
            ("/api/files/a/b.txt", 2, "a/b.txt"), ("/api/files/a%2Fb.txt", 2, "a/b.txt"), ("/api/files", 2, nil),
            ("/api/files/", 2, ""), ("/api", 2, nil), ("//api///files/a", 2, "a"), ("/api/files//a", 2, "/a"),
            ("/api/files/a/", 2, "a/"), ("/api/files/%2e%2e/x", 2, "../x"), ("/a", 0, "a"), ("*", 0, nil),
            ("/", 1, nil),
            ("/api/files/a+b%20c", 2, "a+b c"), ("/a/b", -1, "a/b"), ("/api/files/%25", 2, "%"),
        ] as [(String, Int, String?)])
    func rest(target: String, count: Int, rest: String?) throws {
        #expect(try RequestTarget(parsing: target).rest(afterSegments: count) == rest.map { Array($0.utf8) })
    }

    @Test(
        "with a bad escape in the path is refused where it is decoded",
        arguments: ["%", "%4", "%zz", "%4g", "a%", "%%20"])
    func badEscape(text: String) throws {
        let target = try RequestTarget(parsing: "/a/" + text)
        #expect(throws: ParseError.self) { try target.segments() }
        #expect(throws: ParseError.self) { try target.rest(afterSegments: 1) }
        #expect(throws: ParseError.self) { try target.decodedPath() }
        #expect(throws: ParseError.self) { try RequestTarget(parsing: "/?" + text).parameters() }
    }

    @Test("never traps, and what it accepts comes back from its own encoding")
    func mutations() throws {
        var mutations = Mutations(
            seed: 1,
            corpus: [
                "/api/v1/files/download?path=/a/b.txt&x=%20+", "http://host:80/a%2Fb?c#d", "/api/files/%D1%84/a+b",
                "*", "/a//b/?q",
            ],
            words: ["%", "%2", "%00", "%2F", "?", "#", "//", "http://", "..", "+", "&", "="])
        var accepted = 0
        for _ in 0..<Mutations.count {
            guard let target = try? RequestTarget(parsing: mutations.nextText()) else { continue }
            let rest = try? target.rest(afterSegments: 2)
            let parameters = try? target.parameters()
            guard target.path.first == 0x2F, let segments = try? target.segments() else { continue }
            accepted += 1
            let encoded = "/" + segments.map { PercentEncoding.encodeComponent($0) }.joined(separator: "/")
            let again = try RequestTarget(parsing: encoded)
            try #require(try again.segments() == segments)
            try #require(try again.rest(afterSegments: 2) == rest)
            if let parameters {
                try #require(parameters.pairs.count <= (target.query ?? []).count)
            }
        }
        #expect(accepted > Mutations.count / 10)
    }
}
