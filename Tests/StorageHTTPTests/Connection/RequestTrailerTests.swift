import HTTPTypes
import HummingbirdCore
import NIOCore
import Testing

@testable import StorageHTTP

/// Fields behind a chunked body, on their way to the route.
@Suite("Trailers", .timeLimit(.minutes(1)))
struct RequestTrailerTests {
    /// Answers the trailers, as they are behind the body.
    private static let respond: HTTPChannelHandler.Responder = { request, writer, channel in
        let trailers = RequestTrailers(channel)
        var text = trailers == nil ? "none" : "some"
        do {
            for try await _ in request.body {}
            for field in trailers?.fields ?? [:] { text += " \(field.name.rawName)=\(field.value)" }
        } catch {
            text += " \(error)"
        }
        try await Routes.write(.ok, text, to: writer)
    }

    private static let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test(
        "reach the route with the end of the body, each request's its own",
        arguments: [
            ("5\r\nhello\r\n0\r\nA: b\r\n\r\n", "some A=b"), ("0\r\nA: b\r\nA: c\r\n\r\n", "some A=b A=c"),
            ("5\r\nhello\r\n0\r\n\r\n", "some"), ("0\r\nA:   b c \r\n\r\n", "some A=b c"),
        ])
    func reachRoute(body: String, text: String) async throws {
        try await ConnectionServer.with(responder: Self.respond) { server in
            try await RawClient.connect(port: server.port) { client in
                for _ in 1...2 {
                    try await client.send(Self.head + body)
                    let answer = try await client.answer()
                    #expect(answer.text == text)
                    try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
                    let plain = try await client.answer()
                    #expect(plain.text == "some")
                    try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    let none = try await client.answer()
                    #expect(none.text == "none")
                }
            }
        }
    }

    @Test(
        "that are malformed make the body so, and end the connection",
        arguments: ["A b: c", "A\u{0}: c", ": c", "A: b\u{1}"])
    func malformed(trailer: String) async throws {
        try await ConnectionServer.with(responder: Self.respond) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(Self.head + "5\r\nhello\r\n0\r\n\(trailer)\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["some malformed"])
                #expect(answers.first?["Connection"] == "close")
            }
        }
    }
}
