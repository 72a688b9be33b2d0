import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Digests behind a chunked body", .timeLimit(.minutes(1)))
struct DigestTrailerTests {
    /// What is sent behind "hello" and what it leads to.
    struct Trailer: Sendable, CustomTestStringConvertible {
        let announced: String?
        let trailer: String
        let put: Int
        /// The same of a form, whose whole content is meant; `DIGEST` stands for its digest.
        let form: Int

        var testDescription: String { "\(announced ?? "-") \(trailer)" }
    }

    private static let right = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    private static let wrong = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    static let trailers: [Trailer] = [
        Trailer(announced: "Repr-Digest", trailer: "Repr-Digest: sha-256=:DIGEST:", put: 204, form: 201),
        Trailer(announced: "x, content-digest", trailer: "content-digest: sha-256=:DIGEST:", put: 204, form: 201),
        Trailer(announced: "Repr-Digest", trailer: "Repr-Digest: sha-256=:\(wrong):", put: 400, form: 400),
        Trailer(announced: "Content-Digest", trailer: "Content-Digest: sha-256=:\(wrong):", put: 400, form: 400),
        Trailer(announced: "Repr-Digest", trailer: "Repr-Digest: sha-256=DIGEST", put: 400, form: 400),
        Trailer(announced: "Repr-Digest", trailer: "X: y", put: 204, form: 201),
        Trailer(announced: "Repr-Digest", trailer: "Repr-Digest: sha-512=:AAAA:", put: 204, form: 201),
        // One that nobody announced is compared all the same.
        Trailer(announced: nil, trailer: "Repr-Digest: sha-256=:\(wrong):", put: 400, form: 400),
        Trailer(announced: nil, trailer: "Repr-Digest: sha-256=:DIGEST:", put: 204, form: 201),
        Trailer(announced: "Content-MD5", trailer: "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==", put: 204, form: 201),
    ]

    private static let form = MultipartBody.write(
        [ReadPart("path", nil, "/b.txt"), ReadPart("file", "b.txt", "hello")], boundary: "b")

    private func send(
        _ request: String, _ body: [UInt8], _ trailer: Trailer, _ client: inout RawClient
    ) async throws -> RawAnswer {
        let digest = Base64.encode(try SHA256.hash(body))
        let value = trailer.trailer.replacing("DIGEST", with: digest)
        let head = "\(request)\r\nHost: x\r\nAuthorization: \(HTTPFields.ann[.authorization] ?? "")\r\n"
        let announced = trailer.announced.map { "Trailer: \($0)\r\n" } ?? ""
        try await client.send(head + announced + "Transfer-Encoding: chunked\r\n\r\n")
        try await client.send("\(String(body.count, radix: 16))\r\n\(String(decoding: body, as: UTF8.self))\r\n")
        try await client.send("0\r\n\(value)\r\n\r\n")
        return try await client.answer()
    }

    @Test("are compared before anything is stored", arguments: trailers)
    func compared(_ trailer: Trailer) async throws {
        try await RouteFixture.with(.live) { client in
            let port = try #require(client.client.port)
            let (put, form) = try await RawClient.connect(port: port) { raw in
                let put = try await send("PUT /api/files/a.txt HTTP/1.1", Array("hello".utf8), trailer, &raw)
                let type = "\r\nContent-Type: multipart/form-data; boundary=b"
                let form = try await send("POST /api/v1/files/upload HTTP/1.1" + type, Self.form, trailer, &raw)
                return (put, form)
            }
            #expect(put.status == trailer.put, "\(put.text)")
            #expect(form.status == trailer.form, "\(form.text)")
            let paths = try await client.paths()
            #expect(paths == (trailer.put == 204 ? ["a.txt"] : []) + (trailer.form == 201 ? ["b.txt"] : []))
        }
    }
}
