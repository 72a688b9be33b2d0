import Testing

@testable import storaged

@Suite("YAML files")
struct YAMLFileTests {
    private func texts(_ yaml: String) -> [String: String] {
        YAMLFile(yaml, name: "config.yaml").layer.entries.mapValues(\.text)
    }

    private func problems(_ yaml: String) -> [String] {
        YAMLFile(yaml, name: "config.yaml").problems.map(\.description)
    }

    @Test(
        "nested and dotted keys are the same",
        arguments: [
            "http:\n  port: 9000\n", "http.port: 9000", "{http: {port: 9000}}", "\"http\":\n  'port': \"9000\"",
            "---\nhttp:\n  port: 9000\n...\n", "http: {}\nhttp.port: 9000",
        ])
    func spellings(yaml: String) {
        #expect(problems(yaml) == [])
        #expect(texts(yaml) == ["http.port": "9000"])
    }

    @Test(
        "a value stays the text that stands there",
        arguments: ["0x10", "True", "30", "1_000", "1e3", "010", "2026-01-01", "12:30:00", ".inf", "NO"])
    func text(value: String) {
        #expect(texts("http.host: \(value)") == ["http.host": value])
    }

    @Test(
        "an empty file and keys without a value say nothing",
        arguments: ["", "\n", "# x", "---", "~", "http:", "http: {port: }", "http.port: null"])
    func empty(yaml: String) {
        #expect(problems(yaml) == [])
        #expect(texts(yaml) == [:])
    }

    @Test("a quoted empty text is a value, to be judged by its key")
    func emptyText() {
        #expect(texts("http.port: ''") == ["http.port": ""])
    }

    @Test(
        "an unknown key is a problem that names the nearest known one",
        arguments: [
            ("http:\n  prot: 9000", "http.prot", "http.port"), ("htpp:\n  port: 9000", "htpp.port", "http.port"),
            ("blobs:\n  verify_reads: always", "blobs.verify_reads", "blobs.verify-reads"),
            ("limits.uplaod-size: 1GB", "limits.uplaod-size", "limits.upload-size"),
            ("http:\n  port:\n    number: 1", "http.port", "takes one value"),
            ("HTTP_PORT: 9000", "HTTP_PORT", "did you mean http.port?"), ("<<: {a: 1}", "<<.a", "not a known setting"),
            ("auth: {token: {lifetime: 1d}}", "auth.token.lifetime", "auth.token-lifetime"),
            ("s3: {buckett: b}", "s3.buckett", "not a known setting"),
            ("scrub: {rte: 1}", "scrub.rte", "not a known setting"),
        ])
    func unknown(yaml: String, key: String, nearest: String) {
        let found = problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains(key) == true)
        #expect(found.first?.contains(nearest) == true)
        #expect(found.first?.contains("config.yaml, line ") == true)
    }

    @Test("a list stands for texts with commas between them, where a key takes several")
    func lists() {
        let yaml = "http:\n  trusted-proxies: [127.0.0.1, 10.0.0.0/8]\n  cors-origins:\n  - https://a.example\n"
        #expect(
            texts(yaml) == ["http.trusted-proxies": "127.0.0.1, 10.0.0.0/8", "http.cors-origins": "https://a.example"])
        #expect(problems("http.trusted-proxies: [[a]]").first?.contains("one value or a list of them") == true)
        #expect(problems("http.trusted-proxies: {a: b}").first?.contains("one value or a list of them") == true)
    }

    @Test("no hint names a setting that this build does not have")
    func unavailable() {
        for yaml in ["s3: {buckett: b}", "scrub.rte: 1", "admin.prt: 1", "log.fil: x"] {
            let problem = problems(yaml).first ?? ""
            for key in UnavailableKey.all { #expect(!problem.contains("did you mean \(key.name)?"), "\(problem)") }
        }
    }

    @Test(
        "what cannot be a setting is a problem with its line",
        arguments: [
            ("http:\n  port: [1, 2]", "config.yaml, line 2"), ("\nhttp: 8080", "http.host, http.port"),
            ("http.port: 1\nhttp:\n  port: 2", "given twice"), ("http.port: 1\nhttp.port: 2", "given twice"),
            ("- a", "write a mapping"), ("just text", "write a mapping"), ("[a]: b", "a key is a plain word"),
            ("a: b: c", "line 1: not YAML"), ("http: {port: 1", "not YAML"), ("http:\n\tport: 1", "not YAML"),
            ("a: 1\n---\nb: 2", "not YAML"), ("http: &a {port: *b}", "config.yaml"),
        ])
    func broken(yaml: String, expected: String) {
        let found = problems(yaml)
        #expect(found.isEmpty == false)
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test(
        "a broken file's message never quotes it",
        arguments: ["database.url: \"hunter2", "x: 'hunter2\ny: 1", "a: b: hunter2"])
    func quotesNothing(yaml: String) {
        let found = problems(yaml)
        #expect(found.isEmpty == false)
        #expect(found.allSatisfy { $0.contains("hunter2") == false })
    }

    @Test("aliases that multiply end in a problem, not in endless work")
    func bomb() {
        var yaml = "a0: &a0 {x: 1, y: 2, z: 3, u: 4, v: 5, w: 6}\n"
        for level in 1...7 {
            yaml += "a\(level): &a\(level) {"
            yaml += ["x", "y", "z", "u", "v", "w"].map { "\($0): *a\(level - 1)" }.joined(separator: ", ") + "}\n"
        }
        let found = problems(yaml)
        #expect(found.contains { $0.contains("more than 1000 keys") })
        #expect(found.count <= 1_001)
    }

    @Test("the nearest name counts insertions, deletions, replacements and swaps")
    func nearest() {
        #expect(NearestName.distance(Array("port".utf8), Array("port".utf8)) == 0)
        #expect(NearestName.distance(Array("prot".utf8), Array("port".utf8)) == 1)
        #expect(NearestName.distance(Array("pot".utf8), Array("port".utf8)) == 1)
        #expect(NearestName.distance(Array("poort".utf8), Array("port".utf8)) == 1)
        #expect(NearestName.distance(Array("part".utf8), Array("port".utf8)) == 1)
        #expect(NearestName.distance([], Array("port".utf8)) == 4)
        #expect(NearestName.of("x", among: []) == nil)
        #expect(NearestName.of("postgres.host", among: ["http.host"]) == nil)
        #expect(NearestName.of("htp.hots", among: ["log.level", "http.host"]) == "http.host")
        #expect(NearestName.of("ab", among: ["abc", "abd"]) == "abc")
    }
}
