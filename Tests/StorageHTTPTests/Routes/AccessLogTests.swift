import HTTPTypes
import Logging
import StorageCore
import Synchronization
import Testing

@testable import StorageHTTP

@Suite("The line of a request")
struct AccessLogTests {
    private final class Lines: Sendable {
        let all = Mutex<[Logger.Metadata]>([])

        /// What a request leaves in the log.
        func of(_ body: (AccessLog) -> Void) -> [Logger.Metadata] {
            let request = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/")
            body(
                AccessLog(
                    request, from: Peer(request, from: nil, trusted: []),
                    logger: Logger(label: "test") { [self] _ in Handler(lines: self) }, meters: RequestMeters()))
            return all.withLock { $0 }
        }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .info

        init(lines: Lines) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock { $0.append(event.metadata ?? [:]) }
        }
    }

    private struct Gone: Error {}

    @Test("is written once, when the answer has ended")
    func written() {
        let lines = Lines().of { log in
            log.owe(.ok)
            log.finish(.ok, bytes: 7)
        }
        #expect(lines.count == 1)
        #expect(lines.first?["bytes"] == "7")
        #expect(lines.first?["event"] == nil)
    }

    @Test("says that the answer broke off")
    func brokenOff() {
        let lines = Lines().of { log in
            log.owe(.ok)
            log.fail(.ok, Gone())
        }
        #expect(lines.map { $0["event"] } == ["broken_off"])
    }

    @Test("is there also when the client was gone before anybody began to write the answer")
    func neverBegun() {
        let lines = Lines().of { $0.owe(.partialContent) }
        #expect(lines.map { $0["event"] } == ["broken_off"])
        #expect(lines.first?["status"] == "206")
    }

    @Test("is not there for what was not answered")
    func silent() {
        #expect(Lines().of { _ in }.isEmpty)
    }
}
