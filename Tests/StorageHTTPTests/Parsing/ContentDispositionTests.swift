import Testing

@testable import StorageHTTP

@Suite("Content-Disposition")
struct ContentDispositionTests {
    @Test(
        "of a part gives name and file name as the clients mean them",
        arguments: [
            ("form-data; name=\"a\"", "a", nil), ("form-data; name=a", "a", nil), ("FORM-DATA;NAME=\"a\"", "a", nil),
            ("form-data; name=\"\"", "", nil), ("form-data; name=\"a\";", "a", nil),
            ("form-data ; name=\"a\" ; x=y", "a", nil),
            ("form-data; name=\"a\"; filename=\"b.txt\"", "a", "b.txt"),
            ("form-data; filename=\"b.txt\"; name=\"a\"", "a", "b.txt"),
            ("form-data; name=\"a\"; filename=\"\"", "a", ""), ("form-data; name=\"a\"; filename=b.txt", "a", "b.txt"),
            ("form-data; name=\"a\"; filename=\"b;c=d.txt\"", "a", "b;c=d.txt"),
            ("form-data; name=\"a\"; filename=\"ф.txt\"", "a", "ф.txt"),
            ("form-data; name=\"a\"; filename=\"x%22y\"", "a", "x\"y"),
            ("form-data; name=\"a\"; filename=\"x\\\"y\"", "a", "x\"y"),
            ("form-data; name=\"a\"; filename=\"x\\\\y\"", "a", "x\\y"),
            ("form-data; name=\"a\"; filename=\"x\\y\"", "a", "x\\y"),
            ("form-data; name=\"a\"; filename=\"C:\\dir\\b.txt\"", "a", "C:\\dir\\b.txt"),
            ("form-data; name=\"a\"; filename=\"100%.txt\"", "a", "100%.txt"),
            ("form-data; name=\"a\"; filename=\"a%0Ab\"", "a", "a%0Ab"),
            ("form-data; name=\"a\"; filename=\"a%2Fb\"", "a", "a%2Fb"),
            ("form-data; name=\"a\"; filename=\"%2\"", "a", "%2"),
            ("form-data; name=\"a\"; filename=\"../../etc/passwd\"", "a", "../../etc/passwd"),
            ("form-data; name=\"a\"; filename*=UTF-8''%D1%84.txt", "a", "ф.txt"),
            ("form-data; name=\"a\"; filename*=utf-8'ru'x%20y", "a", "x y"),
            ("form-data; name=\"a\"; filename=\"x\"; filename*=UTF-8''y", "a", "y"),
            ("form-data; name=\"a\"; filename*=UTF-8''y; filename=\"x\"", "a", "y"),
            ("form-data; name=\"a\"; filename=\"x\"; filename*=ISO-8859-1''%E9", "a", "x"),
            ("form-data; name=\"a\"; filename=\"x\"; filename*=UTF-8''%zz", "a", "x"),
            ("form-data; name=\"a\"; filename*=UTF-8''a%22b", "a", "a\"b"),
            ("form-data; name=\"q%22\\\"\"", "q\"\"", nil),
            ("form-data; name=\"a\"; filename*=\"UTF-8''x\"", "a", "x"),
            ("form-data; name=\"a\"; filename=\"a\tb\"", "a", "a\tb"),
        ] as [(String, String, String?)])
    func reads(value: String, name: String, filename: String?) {
        let disposition = ContentDisposition(formData: Array(value.utf8))
        #expect(disposition?.name == Array(name.utf8))
        #expect(disposition?.filename == filename.map { Array($0.utf8) })
    }

    @Test(
        "of a part that is malformed is none",
        arguments: [
            "", "form-data", "form-data;", "form-data; filename=\"x\"", "attachment; name=\"a\"",
            "formdata; name=\"a\"", "form-data name=\"a\"",
            "form-data; name", "form-data; name=", "form-data; name=\"a", "form-data; name=\"a\"b",
            "form-data; name=\"a\"; name=\"b\"",
            "form-data; name=\"a\"; filename=\"x\"; filename=\"y\"", "form-data; name=\"a\"; filename*=UTF-8''%zz",
            "form-data; name=\"a\"; filename*=ISO-8859-1''%E9", "form-data; name=\"a\"; filename*=UTF-8''%FF",
            "form-data; name=\"a\"; filename*=x",
            "form-data; name=\"a\"; filename=a b", "form-data; name=\"a\\\"", "form-data; name=\"a\u{0}\"",
            "form-data; name=\"a\r\n\"",
            "form-data; =x; name=\"a\"", "form-data, name=\"a\"",
        ])
    func refuses(value: String) {
        #expect(ContentDisposition(formData: Array(value.utf8)) == nil)
    }

    @Test("of a part has at most 32 parameters")
    func parameters() {
        func value(_ count: Int) -> [UInt8] {
            Array(("form-data; name=a" + (1..<count).map { "; x\($0)=y" }.joined()).utf8)
        }
        #expect(ContentDisposition(formData: value(32))?.name == Array("a".utf8))
        #expect(ContentDisposition(formData: value(33)) == nil)
    }

    @Test("of a part keeps a file name that is not UTF-8 for the path check to refuse")
    func invalidUTF8() {
        let value = Array("form-data; name=\"a\"; filename=\"".utf8) + [0xFF, 0xFE] + Array("\"".utf8)
        #expect(ContentDisposition(formData: value)?.filename == [0xFF, 0xFE])
    }

    @Test(
        "of a download has an ASCII name and the exact one",
        arguments: [
            ("a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
            ("a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
            ("фa.txt", "attachment; filename=\"_a.txt\"; filename*=UTF-8''%D1%84a.txt"),
            ("a\"b\\c", "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"),
            ("100%25.txt", "attachment; filename=\"100_25.txt\"; filename*=UTF-8''100%2525.txt"),
            ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a__X%3A%20y"),
            ("a'b*c", "attachment; filename=\"a'b*c\"; filename*=UTF-8''a%27b%2Ac"),
            ("", "attachment; filename=\"\"; filename*=UTF-8''"),
            ("a/b", "attachment; filename=\"a_b\"; filename*=UTF-8''a_b"),
            ("a;b", "attachment; filename=\"a;b\"; filename*=UTF-8''a%3Bb"),
            ("e\u{301}", "attachment; filename=\"e_\"; filename*=UTF-8''e%CC%81"),
            ("😀", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"),
        ])
    func writes(name: String, header: String) {
        #expect(ContentDisposition.attachment(name.utf8) == header)
        #expect(
            ContentDisposition.inline(name.utf8) == "inline" + header.utf8.dropFirst("attachment".utf8.count).asText)
    }

    @Test("of a download is harmless in a header and exact, whatever the name is")
    func writerHolds() throws {
        var mutations = Mutations(
            seed: 12, corpus: ["a.txt", "ф.txt", "a\"b\\c%22;'*", "very long name with spaces.tar.gz"],
            words: ["\"", "\\", "%", ";", "\r\n", "'", "*", "/", "é"])
        for _ in 0..<Mutations.count {
            let name = mutations.next()
            let header = Array(ContentDisposition.attachment(name).utf8)
            try #require(header.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
            var cursor = ByteCursor(Array(header.dropFirst("attachment".utf8.count)))
            let parameters = try #require(HeaderParameters(&cursor, dialect: .standard))
            try #require(parameters.parameters.count == 2)
            let extended = try #require(parameters["filename*"])
            let exact = try #require(PercentEncoding.decode(extended.dropFirst("UTF-8''".utf8.count)))
            let expected = Array(String(decoding: name, as: UTF8.self).utf8).map { byte in
                byte < 0x20 || byte == 0x7F || byte == 0x2F ? 0x5F : byte
            }
            try #require(exact == expected)
        }
    }

    @Test("of a part never traps")
    func mutations() throws {
        var mutations = Mutations(
            seed: 13,
            corpus: [
                "form-data; name=\"a\"; filename=\"b.txt\"", "form-data; name=a; filename*=UTF-8''%D1%84",
                "form-data; name=\"\\\"%22\"",
            ],
            words: ["\"", "\\", ";", "=", "'", "%", "%22", "filename*=", "name=", " "])
        var accepted = 0
        for _ in 0..<Mutations.count {
            let value = mutations.next()
            guard let disposition = ContentDisposition(formData: value) else { continue }
            accepted += 1
            try #require(disposition.name.count <= value.count && (disposition.filename ?? []).count <= value.count)
        }
        #expect(accepted > Mutations.count / 20)
    }
}

extension Sequence<UInt8> {
    fileprivate var asText: String { String(decoding: Array(self), as: UTF8.self) }
}
