import NIOCore
import Testing

@testable import StorageHTTP

@Suite("Multipart limits")
struct MultipartLimitTests {
    private static let head = "Content-Disposition: form-data; name=\"a\"||"

    @Test("a hundred parts are read, one more is refused, a million are refused at once")
    func parts() throws {
        func body(_ count: Int) -> [UInt8] {
            MultipartBody.bytes(String(repeating: "--b|\(Self.head)|", count: count) + "--b--|")
        }
        #expect(try MultipartBody.read([body(100)]).count == 100)
        #expect(throws: ParseError(.invalidMultipart, "A form may have at most 100 parts.")) {
            try MultipartBody.read([body(101)])
        }
        #expect(throws: ParseError.self) { try MultipartBody.read([body(100_000)]) }
    }

    @Test("sixteen headers of a part are read, one more is refused")
    func headers() throws {
        func body(_ count: Int) -> [UInt8] {
            MultipartBody.bytes("--b|" + String(repeating: "X: y|", count: count - 1) + "\(Self.head)1|--b--|")
        }
        #expect(try MultipartBody.read([body(16)]) == [ReadPart("a", nil, "1")])
        for count in [17, 10_000] {
            #expect(throws: ParseError.self) { try MultipartBody.read([body(count)]) }
            #expect(throws: ParseError.self) { try MultipartBody.read(MultipartBody.pieces(body(count), of: 1)) }
        }
    }

    @Test("8 KiB of headers of a part are read, one byte more is refused, with or without line ends")
    func headerBytes() throws {
        let rest = MultipartBody.bytes(Self.head).count + "X: \r\n".utf8.count
        func body(_ count: Int) -> [UInt8] {
            MultipartBody.bytes("--b|X: " + String(repeating: "y", count: count - rest) + "|\(Self.head)1|--b--|")
        }
        #expect(try MultipartBody.read([body(8_192)]) == [ReadPart("a", nil, "1")])
        #expect(throws: ParseError.self) { try MultipartBody.read([body(8_193)]) }
        for flood in ["\r", "x", "\0", " "] {
            let bytes = Array(("--b\r\n" + String(repeating: flood, count: 8_193)).utf8)
            #expect(throws: ParseError(.invalidMultipart, "The headers of a part may have at most 8192 bytes.")) {
                try MultipartBody.read([bytes])
            }
        }
    }

    @Test("a preamble of 1 KiB is read, one byte more is refused, in any pieces")
    func preamble() throws {
        func body(_ count: Int) -> [UInt8] {
            MultipartBody.bytes(String(repeating: "x", count: count) + "|--b--|")
        }
        for size in [1, 100, 4_096] {
            #expect(try MultipartBody.read(MultipartBody.pieces(body(1_024), of: size)) == [])
            #expect(throws: ParseError.self) { try MultipartBody.read(MultipartBody.pieces(body(1_025), of: size)) }
        }
        let floods = [
            String(repeating: "\r", count: 2_000), String(repeating: "\r\n--bx", count: 400),
            String(repeating: "\r\n--", count: 600),
        ]
        for flood in floods {
            #expect(throws: ParseError.self) { try MultipartBody.read([MultipartBody.bytes(flood)]) }
            #expect(throws: ParseError.self) {
                try MultipartBody.read(MultipartBody.pieces(MultipartBody.bytes(flood), of: 3))
            }
        }
    }

    @Test("an epilogue of 64 KiB is passed over, one byte more is refused, in any pieces")
    func epilogue() throws {
        func body(_ count: Int) -> [UInt8] {
            MultipartBody.bytes("--b|\(Self.head)1|--b--|") + [UInt8](repeating: 0x0D, count: count)
        }
        for size in [1_000, 65_536, 1 << 20] {
            #expect(try MultipartBody.read(MultipartBody.pieces(body(65_536), of: size)) == [ReadPart("a", nil, "1")])
            #expect(throws: ParseError.self) { try MultipartBody.read(MultipartBody.pieces(body(65_537), of: size)) }
        }
    }

    @Test(
        "hostile content costs time in proportion to its size",
        arguments: [
            "\r", "\n", "\r\n", "\r\n--", "\r\n--b", "\r\n--b-", "\r\n--b ", "\r\n--b--x", "-", "b", "\r\n--b\r\r",
        ])
    func linear(pattern: String) throws {
        func seconds(_ size: Int) throws -> Duration {
            let flood = Array(repeatElement(Array(pattern.utf8), count: size / pattern.utf8.count).joined())
            let expected = ReadPart("f", "x", flood)
            let pieces = MultipartBody.pieces(MultipartBody.write([expected], boundary: "bb"), of: 16_384)
            var best = Duration.seconds(1_000)
            for _ in 0..<3 {
                best = min(
                    best,
                    try ContinuousClock().measure {
                        try #require(try MultipartBody.read(pieces, boundary: "bb") == [expected])
                    })
            }
            return best
        }
        let small = try seconds(1 << 15)
        let large = try seconds(1 << 18)
        #expect(large < small * 8 * 4 + .milliseconds(50))
    }

    @Test(
        "a boundary is read from its Content-Type",
        arguments: [
            ("multipart/form-data; boundary=b", "b"), ("Multipart/Form-Data;BOUNDARY=b", "b"),
            ("multipart/form-data; boundary=\"b\"", "b"),
            ("multipart/form-data; boundary=\"b c\"", "b c"), ("multipart/form-data; boundary=b; charset=utf-8", "b"),
            ("multipart/form-data; charset=utf-8; boundary=b", "b"),
            ("multipart/form-data; boundary=----=_Part_1/2:3", "----=_Part_1/2:3"),
            ("multipart/form-data; boundary=\"'()+_,-./:=?\"", "'()+_,-./:=?"),
            ("multipart/form-data ; boundary=b;", "b"),
        ])
    func boundary(contentType: String, boundary: String) throws {
        #expect(try MultipartBoundary(contentType: contentType).bytes == Array(boundary.utf8))
        #expect(MultipartBoundary.isFormData(contentType: contentType))
    }

    @Test(
        "a boundary that is missing, malformed or too long is refused",
        arguments: [
            "", "multipart/form-data", "multipart/form-data;", "multipart/form-data; boundary",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"b",
            "multipart/form-data; boundary=\"b \"",
            "multipart/form-data; boundary=b; boundary=c", "multipart/form-data; boundary=ф",
            "multipart/form-data; boundary=\"a\tb\"",
            "multipart/mixed; boundary=b", "multipart/form-datax; boundary=b", "text/plain; boundary=b",
            "multipart/form-data boundary=b",
            "multipart/form-data; boundary=a b", "multipart/form-data, boundary=b",
            "multipart/form-data; boundary=\"\r\n\"",
            "multipart/form-data; boundary=" + String(repeating: "x", count: 71),
            "multipart/form-data; boundary=" + String(repeating: "x", count: 1 << 20),
        ])
    func refusesBoundary(contentType: String) {
        #expect(refusal { try MultipartBoundary(contentType: contentType) }?.code == .invalidMultipart)
    }

    @Test("boundaries of one and of seventy bytes work")
    func boundaryLengths() throws {
        for boundary in ["-", "x", String(repeating: "x", count: 70), String(repeating: "-", count: 70)] {
            _ = try MultipartBoundary(contentType: "multipart/form-data; boundary=\(boundary)")
            let parts = [ReadPart("a", nil, "\r\n-x-"), ReadPart("f", "y", String(repeating: "-x", count: 5_000))]
            let body = MultipartBody.write(parts, boundary: boundary)
            #expect(try MultipartBody.read([body], boundary: boundary) == parts)
            #expect(try MultipartBody.read(MultipartBody.pieces(body, of: 13), boundary: boundary) == parts)
        }
    }
}
