import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import StorageHTTP

/// Answers that the connection gives by itself, on its event loop.
@Suite(.timeLimit(.minutes(1)))
struct CompleteAnswerTests {
    /// Answers everything but what asks for a route: at once, or a moment later.
    private static let recall: StorageHTTP1Channel.Recall = { head, _, eventLoop in
        guard let path = head.path, !path.hasPrefix("/route") else { return nil }
        let content = ByteBuffer(string: "at hand \(path)")
        let answer = CompleteAnswer(
            AnswerHead(content.readableBytes), content: head.method == .head ? nil : content)
        func soon(_ body: @escaping @Sendable () throws -> CompleteAnswer?) -> Recalled<CompleteAnswer> {
            .soon(eventLoop.scheduleTask(in: .milliseconds(2), body).futureResult)
        }
        return switch path {
        case "/soon": soon { answer }
        case "/nothing": soon { nil }
        case "/failure": soon { throw ChannelError.eof }
        default: .now(answer)
        }
    }

    @Test func anAnswerMayComeLaterOrNotAtAll() async throws {
        try await ConnectionServer.with(recall: Self.recall) { server in
            try await RawClient.connect(port: server.port) { client in
                for path in ["/soon", "/nothing", "/failure", "/a", "/soon"] {
                    try await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                }
                try await client.send("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                let answers = try await client.remainingAnswers().map(\.text)
                #expect(answers.count == 6)
                #expect(answers.first == "at hand /soon")
                #expect(answers.last?.hasPrefix("/nothing") == true)
            }
        }
    }

    @Test(arguments: ["/soon", "/nothing"])
    func aClientThatLeavesBeforeTheAnswerLeavesNothingBehind(_ path: String) async throws {
        try await ConnectionServer.with(recall: Self.recall) { server in
            for _ in 0..<20 {
                try await RawClient.connect(port: server.port) { client in
                    try await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                }
            }
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.count == 1)
            }
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrderWhoeverAnswers() async throws {
        try await ConnectionServer.with(recall: Self.recall) { server in
            try await RawClient.connect(port: server.port) { client in
                let paths = (1...3_000).map { $0.isMultiple(of: 7) ? "/route\($0)" : "/\($0)" }
                var requests = paths.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
                requests += "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                try await client.send(requests)
                let answers = try await client.remainingAnswers()
                // What waited behind a route goes to its route too.
                let answered = answers.map { $0.text.split(separator: " ").first { $0.hasPrefix("/") } ?? "" }
                let differing = zip(answered, paths + ["/last"]).first { $0 != $1 }
                #expect(answers.count == paths.count + 1)
                #expect(differing == nil)
                #expect(answers.prefix(6).allSatisfy { $0.text.hasPrefix("at hand") })
            }
        }
    }

    @Test func aRequestWithABodyIsForARoute() async throws {
        try await ConnectionServer.with(recall: Self.recall) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(
                    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                        + "GET /b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.count == 2)
                #expect(answers.first?.text == "/a 3")
                #expect(answers.last?.text.contains("/b") == true)
            }
        }
    }

    @Test(arguments: ["HTTP/1.0\r\n\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
    func theConnectionEndsWhereItWouldAfterARoute(_ rest: String) async throws {
        try await ConnectionServer.with(recall: Self.recall) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET /a " + rest)
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["at hand /a"])
            }
        }
    }

    @Test func toHEADOnlyTheHeadIsSent() async throws {
        try await ConnectionServer.with(recall: Self.recall) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                let answer = try await client.answer(isHead: true)
                let rest = try await client.waitForEnd()
                #expect(answer.status == 200)
                #expect(answer["Content-Length"] == "10")
                #expect(rest == 0)
            }
        }
    }

    @Test func forAClientThatDoesNotReadNoMoreIsMadeThanItsConnectionHolds() async throws {
        let made = Counter()
        let content = ByteBuffer(repeating: 1, count: 64 << 10)
        try await ConnectionServer.with(recall: { _, _, _ in
            made.add()
            return .now(
                CompleteAnswer(AnswerHead(content.readableBytes), content: content))
        }) { server in
            try await RawClient.connect(port: server.port, receiveBuffer: 4_096) { client in
                let request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
                try await client.send(String(repeating: request, count: 2_000))
                // Until nothing more comes of it: the client reads nothing.
                var before = -1
                while before != made.value || before <= 0 {
                    before = made.value
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(before < 200)
            }
        }
    }
}

extension AnswerHead {
    /// The head of a content of that many bytes.
    fileprivate init(_ contentLength: Int) {
        self.init(.ok)
        append(contentLength: Int64(contentLength))
    }
}

/// Counts from any thread.
private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add() { count.add(1, ordering: .relaxed) }
}
