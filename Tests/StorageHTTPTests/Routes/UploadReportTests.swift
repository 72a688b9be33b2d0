import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import StorageCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageHTTP

@Suite("An upload that is reported while it arrives", .timeLimit(.minutes(1)))
struct UploadReportTests {
    @Test(
        "is told in lines whose numbers add up to its size", arguments: Transport.allCases, [0, 1, 1 << 20, 5_000_000])
    func lines(transport: Transport, size: Int) async throws {
        try await RouteFixture.with(transport) { client in
            let content = String(repeating: "x", count: size)
            let answer = try await client.sendForm("/stream/upload", .ann, [ReadPart("file", "a.txt", content)])
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
            var lines = answer.text.split(separator: "\n")
            let last = try #require(lines.last)
            lines.removeLast()
            let uid = try #require(Identifier<Link>(text: last.utf8.dropFirst("File saved with UID: ".utf8.count)))
            let counts = lines.map { line in
                Int(line.dropFirst("Received chunk: ".count).dropLast(" bytes".count)) ?? -1
            }
            #expect(counts.reduce(0, +) == size)
            #expect(counts.dropLast().allSatisfy { $0 >= 1 << 20 })
            // The connection was for this answer alone.
            let record = try await client.fixture.storage.file(.link(.uid(uid)))
            #expect(record.revision?.size == Int64(size))
        }
    }

    @Test("becomes rarer news the longer it is, and all of it fits into the buffer of a socket")
    func rarity() {
        let count = ReceivedCount()
        let chunk = 64 << 20
        var (told, lines, bytes): (Int64, Int, Int) = (0, 0, 0)
        for _ in 0..<(5 << 40) / chunk {
            count.add(chunk)
            guard let due = count.due() else { continue }
            told += due
            lines += 1
            bytes += "Received chunk: \(due) bytes\n".utf8.count + 6
        }
        #expect(told + (count.rest() ?? 0) == 5 << 40)
        #expect(lines > 100)
        #expect(bytes < 64 << 10)
    }

    @Test("never waits for somebody to take its lines")
    func stalledReader() async throws {
        let fixture = try RouteFixture(RouteFixture.Options())
        _ = try await fixture.register("ann")
        let ann = try await fixture.principal("ann")
        var body = form(8 << 20)
        body.writeString("\r\n--b--\r\n")
        let headers = HTTPFields.ann.merging([.contentType: "multipart/form-data; boundary=b"])
        let request = Request(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "localhost", path: "/stream/upload", headerFields: headers),
            body: RequestBody(buffer: body))
        let response = try await fixture.routes(BareContext.self).respond(
            to: request, context: BareContext(source: BareContext.Origin()))
        let writer = StalledWriter {
            // Nothing is taken before the file is there.
            while try await fixture.storage.list(as: ann, { ListQuery(container: $0) }).entries.isEmpty {
                await Task.yield()
            }
        }
        try await response.body.write(writer)
        let lines = String(buffer: writer.written.withLock { $0 }).split(separator: "\n")
        #expect((2...3).contains(lines.count), "the line that stalled, all the rest in one, and the last: \(lines)")
        #expect(lines.last?.hasPrefix("File saved with UID: ") == true)
    }

    /// Sends the head and the beginning of a form whose file has `size` bytes, of which the first are `sent`.
    private func begin(_ client: inout RawClient, framing: String, sent: ByteBuffer) async throws {
        try await client.send(
            """
            POST /stream/upload HTTP/1.1\r\nHost: x\r\nAuthorization: \(HTTPFields.ann[.authorization] ?? "")\r
            Content-Type: multipart/form-data; boundary=b\r\n\(framing)\r\n\r

            """)
        try await client.send(sent)
    }

    private static let partHead = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"

    private func form(_ count: Int) -> ByteBuffer {
        var bytes = ByteBuffer(string: Self.partHead)
        bytes.writeImmutableBuffer(.random(count: count, seed: 1))
        return bytes
    }

    @Test("is answered before it has ended: the head at once, lines as it comes")
    func early() async throws {
        try await RouteFixture.with(.live) { client in
            try await RawClient.connect(port: try #require(client.client.port)) { raw in
                try await begin(&raw, framing: "Content-Length: 100000000", sent: ByteBuffer(string: Self.partHead))
                while !String(buffer: raw.unread).contains("\r\n\r\n") { #expect(try await raw.receiveMore()) }
                #expect(String(buffer: raw.unread).hasPrefix("HTTP/1.1 200 OK\r\n"))
                try await raw.send(.random(count: 3 << 20, seed: 1))
                while !String(buffer: raw.unread).contains("Received chunk: ") {
                    #expect(try await raw.receiveMore())
                }
            }
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }

    @Test(
        "that fails half-way ends in a line that says so, and in no end",
        arguments: ["closed", "too large", "broken form", "broken chunk"])
    func failures(_ failure: String) async throws {
        try await RouteFixture.with(.live, { $0.files.uploadSize = 4 << 20 }) { client in
            try await RawClient.connect(port: try #require(client.client.port)) { raw in
                switch failure {
                case "closed":
                    try await begin(&raw, framing: "Content-Length: 5000000", sent: form(2 << 20))
                    raw.finishSending()
                case "too large":
                    try await begin(&raw, framing: "Content-Length: 6000000", sent: form(5 << 20))
                case "broken form":
                    let sent = form(2 << 20)
                    try await begin(&raw, framing: "Content-Length: \(sent.readableBytes)", sent: sent)
                default:
                    let sent = form(2 << 20)
                    var chunk = ByteBuffer(string: String(sent.readableBytes, radix: 16) + "\r\n")
                    chunk.writeImmutableBuffer(sent)
                    chunk.writeString("\r\nnonsense\r\n\r\n")
                    try await begin(&raw, framing: "Transfer-Encoding: chunked", sent: chunk)
                }
                let answer = try #require(try await raw.remainingAnswers().first)
                #expect(answer.status == 200)
                #expect(!answer.isComplete)
                let last = try #require(answer.text.split(separator: "\n").last)
                #expect(last.hasPrefix("Error: "), "\(answer.text)")
            }
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }
}

/// A context of somebody else's application, without a connection.
private struct BareContext: RequestContext {
    struct Origin: RequestContextSource {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    }

    typealias Source = Origin

    var coreContext: CoreRequestContextStorage

    init(source: Origin) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}

/// Takes what is written only after something else has happened.
private final class StalledWriter: ResponseBodyWriter, Sendable {
    let written = Mutex(ByteBuffer())
    private let stall: @Sendable () async throws -> Void

    init(_ stall: @escaping @Sendable () async throws -> Void) {
        self.stall = stall
    }

    func write(_ buffer: ByteBuffer) async throws {
        try await stall()
        written.withLock { _ = $0.writeImmutableBuffer(buffer) }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
