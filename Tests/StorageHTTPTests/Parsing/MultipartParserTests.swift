import NIOCore
import Testing

@testable import StorageHTTP

@Suite("Multipart parser")
struct MultipartParserTests {
    /// The head of a plain field.
    private static let a = "Content-Disposition: form-data; name=\"a\"||"
    /// The head of a file.
    private static let f = "Content-Disposition: form-data; name=\"f\"; filename=\"x\"||"

    @Test(
        "reads well-formed bodies, in one piece and byte by byte",
        arguments: [
            ("--b--", []), ("--b--|", []), ("--b-- \t|", []), ("--b--|epilogue|--b|x", []), ("|--b--|", []),
            ("preamble|--b--|", []), ("--b|\(a)|--b--|", [ReadPart("a")]),
            ("--b|\(a)1|--b--|", [ReadPart("a", nil, "1")]),
            ("--b|\(a)1|--b--", [ReadPart("a", nil, "1")]), ("--b|\(a)1|--b-- ", [ReadPart("a", nil, "1")]),
            ("--b|\(a)--b--|", [ReadPart("a")]),
            ("--b|\(a)1|--b|\(f)2|--b--|", [ReadPart("a", nil, "1"), ReadPart("f", "x", "2")]),
            ("--b|\(a)1|--b|\(a)2|--b--|", [ReadPart("a", nil, "1"), ReadPart("a", nil, "2")]),
            ("pre|amble|--b|\(a)1|--b--|", [ReadPart("a", nil, "1")]),
            ("|\r|--b|\(a)1|--b--|", [ReadPart("a", nil, "1")]),
            ("--b \t |\(a)1|--b \t|\(a)2|--b--|", [ReadPart("a", nil, "1"), ReadPart("a", nil, "2")]),
            ("--b|\(a)||--b--|", [ReadPart("a", nil, "\r\n")]), ("--b|\(a)\r|--b--|", [ReadPart("a", nil, "\r")]),
            ("--b|\(a)\r\r\r|--b--|", [ReadPart("a", nil, "\r\r\r")]),
            ("--b|\(a)\n|--b--|", [ReadPart("a", nil, "\n")]),
            ("--b|\(a)\n--b--|--b--|", [ReadPart("a", nil, "\n--b--")]),
            ("--b|\(a)\r--b--|--b--|", [ReadPart("a", nil, "\r--b--")]),
            ("--b|\(a)x--b--|--b--|", [ReadPart("a", nil, "x--b--")]),
            ("--b|\(a)|-|--b--|", [ReadPart("a", nil, "\r\n-")]),
            ("--b|\(a)|--|--b--|", [ReadPart("a", nil, "\r\n--")]),
            ("--b|\(a)|--c|--b--|", [ReadPart("a", nil, "\r\n--c")]),
            ("--b|\(a)|--bb|--b--|", [ReadPart("a", nil, "\r\n--bb")]),
            ("--b|\(a)|--b-|--b--|", [ReadPart("a", nil, "\r\n--b-")]),
            ("--b|\(a)|--b-x|--b--|", [ReadPart("a", nil, "\r\n--b-x")]),
            ("--b|\(a)|--b--x|--b--|", [ReadPart("a", nil, "\r\n--b--x")]),
            ("--b|\(a)|--b-- x|--b--|", [ReadPart("a", nil, "\r\n--b-- x")]),
            ("--b|\(a)|--b x|--b--|", [ReadPart("a", nil, "\r\n--b x")]),
            ("--b|\(a)|--b \r|--b--|", [ReadPart("a", nil, "\r\n--b \r")]),
            ("--b|\(a)|--b\rx|--b--|", [ReadPart("a", nil, "\r\n--b\rx")]),
            ("--b|\(a)|--b--\rx|--b--|", [ReadPart("a", nil, "\r\n--b--\rx")]),
            ("--b|\(a)|--bX|--b|\(a)2|--b--|", [ReadPart("a", nil, "\r\n--bX"), ReadPart("a", nil, "2")]),
            ("--b|\(a)||--b|\(a)|--b--|", [ReadPart("a", nil, "\r\n"), ReadPart("a")]),
            (
                "--b|\(a)\r|--b\(String(repeating: " ", count: 64))x|--b--|",
                [ReadPart("a", nil, "\r\r\n--b\(String(repeating: " ", count: 64))x")]
            ),
            ("--b|\(a)\u{0}\u{1}\u{FF}|--b--|", [ReadPart("a", nil, "\u{0}\u{1}\u{FF}")]),
            ("--b|\(f)--inner|--inner--|--b--|", [ReadPart("f", "x", "--inner\r\n--inner--")]),
            ("--b|content-disposition:form-data;name=a||1|--b--|", [ReadPart("a", nil, "1")]),
            ("--b|Content-Disposition: \t form-data; name=a \t||1|--b--|", [ReadPart("a", nil, "1")]),
            ("--b|X: |Content-Type: text/plain|\(a)1|--b--|", [ReadPart("a", nil, "1")]),
            ("--b|Content-Transfer-Encoding: Binary|\(a)1|--b--|", [ReadPart("a", nil, "1")]),
            ("--b|Content-Transfer-Encoding: 8bit|\(f)1|--b--|", [ReadPart("f", "x", "1")]),
            ("--b|Content-Type: broken|\(f)1|--b--|", [ReadPart("f", "x", "1")]),
            ("--b|\(a)|--b--\r", [ReadPart("a")]), ("--b|\(a)--b|\(a)--b--", [ReadPart("a"), ReadPart("a")]),
        ] as [(String, [ReadPart])])
    func reads(text: String, parts: [ReadPart]) throws {
        let body = MultipartBody.bytes(text)
        #expect(try MultipartBody.read([body]) == parts)
        #expect(try MultipartBody.read(MultipartBody.pieces(body, of: 1)) == parts)
        #expect(try MultipartBody.read(MultipartBody.pieces(body, of: 7)) == parts)
        #expect(try MultipartBody.read([[]] + body.flatMap { [[$0], []] }) == parts)
    }

    @Test(
        "refuses malformed bodies, in one piece and byte by byte",
        arguments: [
            "", "|", "--b", "--b|", "--b-", "--b |", "--c--|", "x--b--|", "--B--|", "-b--|", "--b\n--b--|",
            "--b|--b--|", "--b||--b--|", "--b||x|--b--|",
            "--b|\(a)", "--b|\(a)1", "--b|\(a)1|", "--b|\(a)1|--", "--b|\(a)1|--b", "--b|\(a)1|--b-",
            "--b|\(a)1\n--b--|", "--b|\(a)1|--b|",
            "--b|\(a)1|--b|\(a)", "--b|Content-Disposition: form-data||1|--b--|",
            "--b|Content-Disposition: attachment; name=a||1|--b--|",
            "--b|Content-Type: text/plain||1|--b--|", "--b|Content-Disposition: form-data; name=\"a||1|--b--|",
            "--b|no colon||1|--b--|",
            "--b|: x|\(a)1|--b--|", "--b|A B: x|\(a)1|--b--|", "--b|A : x|\(a)1|--b--|", "--b|Ф: x|\(a)1|--b--|",
            "--b|A: \u{0}|\(a)1|--b--|",
            "--b|A: \rx|\(a)1|--b--|", "--b|A: x\n\(a)1|--b--|", "--b|A: x| folded|\(a)1|--b--|",
            "--b|\(a.dropLast(2))\n\n1|--b--|",
            "--b|Content-Disposition: form-data; name=a|\(a)1|--b--|",
            "--b|Content-Transfer-Encoding: base64|\(a)MQ==|--b--|",
            "--b|Content-Transfer-Encoding: quoted-printable|\(a)1|--b--|",
            "--b|Content-Transfer-Encoding: |\(a)1|--b--|",
            "--b|Content-Disposition: form-data; name=a; filename*=latin1''x||1|--b--|", "--b|\(a)1|--b|x|--b--|",
        ])
    func refuses(text: String) {
        let body = MultipartBody.bytes(text)
        for pieces in [[body], MultipartBody.pieces(body, of: 1), MultipartBody.pieces(body, of: 3)] {
            let error = refusal { try MultipartBody.read(pieces) }
            #expect(error?.code == .invalidMultipart)
            #expect(error?.detail.hasPrefix("test") == false)
        }
    }

    @Test("gives the same parts wherever a body is cut in two or three")
    func everySplit() throws {
        let boundary = "----b--b\u{27}x"
        let bodies: [[ReadPart]] = [
            [ReadPart("path", nil, "/a/b"), ReadPart("file", "x.bin", Array(0...255))],
            [
                ReadPart("a", nil, "\r\n--" + boundary.dropLast()), ReadPart("b", "", ""),
                ReadPart("c", "n", "\r\r\n\r\n-\r\n--\r"),
            ],
            [ReadPart("f", "f", "\r\n--" + boundary + "-\r\n--" + boundary + " x\r\n--" + boundary + "--x")],
        ]
        for parts in bodies {
            let body = MultipartBody.write(parts, boundary: boundary)
            for cut in 0...body.count {
                let pieces = [Array(body[..<cut]), Array(body[cut...])]
                try #require(try MultipartBody.read(pieces, boundary: boundary) == parts)
            }
            for size in 1...40 {
                try #require(try MultipartBody.read(MultipartBody.pieces(body, of: size), boundary: boundary) == parts)
            }
        }
        let small = MultipartBody.bytes("--b|\(Self.a)\r|--bx|--b--|")
        for first in 0...small.count {
            for second in first...small.count {
                let pieces = [Array(small[..<first]), Array(small[first..<second]), Array(small[second...])]
                try #require(try MultipartBody.read(pieces) == [ReadPart("a", nil, "\r\r\n--bx")])
            }
        }
    }

    @Test("reassembles random files around random boundaries exactly")
    func randomBodies() throws {
        var generator = SeededGenerator(seed: 14)
        for _ in 0..<300 {
            let boundary = String(repeating: "-", count: Int.random(in: 0...30, using: &generator)) + "Zq7"
            let alphabet = Array(("\r\n--" + boundary).utf8)
            let parts = (0..<Int.random(in: 0...5, using: &generator)).map { index in
                let body = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                }
                return ReadPart("n\(index)", Bool.random(using: &generator) ? "f" : nil, body)
            }
            let body = MultipartBody.write(parts, boundary: boundary)
            let size = Int.random(in: 1...100, using: &generator)
            try #require(try MultipartBody.read(MultipartBody.pieces(body, of: size), boundary: boundary) == parts)
        }
    }

    @Test("takes parts as slices of what it was fed")
    func zeroCopy() throws {
        let file = [UInt8](repeating: 0x78, count: 100_000)
        let body = ByteBuffer(bytes: MultipartBody.write([ReadPart("f", "x", file)], boundary: "b"))
        var parser = MultipartParser(boundary: try MultipartBoundary(bytes: Array("b".utf8)))
        parser.feed(body)
        var address: UInt?
        while let event = try parser.nextEvent() {
            guard case .partBody(let bytes) = event else { continue }
            #expect(bytes.readableBytes == file.count)
            address = bytes.withUnsafeReadableBytes { $0.baseAddress.map { UInt(bitPattern: $0) } }
        }
        let range = body.withUnsafeReadableBytes { bytes in
            bytes.baseAddress.map { UInt(bitPattern: $0)..<UInt(bitPattern: $0) + UInt(bytes.count) }
        }
        #expect(try #require(range).contains(try #require(address)))
    }

    @Test("does not lose what is fed before the last piece was used")
    func feedingAhead() throws {
        var parser = MultipartParser(boundary: try MultipartBoundary(bytes: Array("b".utf8)))
        for piece in MultipartBody.pieces(MultipartBody.bytes("--b|\(Self.a)12345|--b--|"), of: 5) {
            parser.feed(ByteBuffer(bytes: piece))
        }
        var body: [UInt8] = []
        while let event = try parser.nextEvent() {
            if case .partBody(let bytes) = event { body += Array(bytes.readableBytesView) }
        }
        #expect(body == Array("12345".utf8))
        #expect(parser.isComplete)
    }

    @Test("stays failed after an error")
    func sticky() throws {
        var parser = MultipartParser(boundary: try MultipartBoundary(bytes: Array("b".utf8)))
        parser.feed(ByteBuffer(string: "--b\r\nbroken\r\n\r\n"))
        #expect(throws: ParseError.self) { while try parser.nextEvent() != nil {} }
        parser.feed(ByteBuffer(string: "\r\n--b--\r\n"))
        #expect(throws: ParseError.self) { try parser.nextEvent() }
        #expect(throws: ParseError.self) { try parser.finish() }
    }

    @Test("never traps, and reads a body the same however it is cut")
    func mutations() throws {
        var mutations = Mutations(
            seed: 15,
            corpus: [
                MultipartBody.bytes("--b|\(Self.a)1|--b|\(Self.f)\r|--bx|-|--b--|"),
                MultipartBody.bytes("pre|--b |\(Self.f)|--b--|epi"),
                MultipartBody.bytes("--b|Content-Type: text/plain|\(Self.a)--b|\(Self.a)--b--"),
            ],
            words: ["--b", "\r\n--b", "--b--", "\r\n--b\r\n", "\r", "--", ":", "\"", Self.a].map {
                MultipartBody.bytes($0)
            })
        var accepted = 0
        for _ in 0..<Mutations.count {
            let body = mutations.next()
            let whole = Result { () throws(ParseError) in try MultipartBody.read([body]) }
            let size = 1 + mutations.number(below: 9)
            let cut = Result { () throws(ParseError) in try MultipartBody.read(MultipartBody.pieces(body, of: size)) }
            try #require(whole == cut)
            if case .success = whole { accepted += 1 }
        }
        #expect(accepted > Mutations.count / 10)
    }
}
