import Logging
import Synchronization
import Testing

@testable import StorageCore

@Suite("OutageLog")
struct OutageLogTests {
    private struct Line: Equatable {
        let level: Logger.Level
        let text: String
    }

    private final class Lines: Sendable {
        let all = Mutex<[Line]>([])

        var logger: Logger {
            Logger(label: "test") { _ in LineRecorder(lines: self) }
        }
    }

    private struct LineRecorder: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock { $0.append(Line(level: event.level, text: "\(event.message)")) }
        }
    }

    private static let outage = StorageError(.unavailable, "Later.", isTransient: true)
    private static let fault = StorageError(.internal, "Never.")

    @Test("tells of an outage once when it begins and once when it is over, and of every other failure")
    func lines() {
        let lines = Lines()
        let log = OutageLog(lines.logger, needed: "the store")
        log.succeeded()
        for _ in 0..<3 { log.failed("it failed", Self.outage) }
        for _ in 0..<2 { log.failed("it failed", Self.fault) }
        for _ in 0..<2 { log.succeeded() }
        log.failed("it failed", Self.outage)
        #expect(
            lines.all.withLock { $0 } == [
                Line(level: .warning, text: "upkeep waits for the store"),
                Line(level: .error, text: "it failed"), Line(level: .error, text: "it failed"),
                Line(level: .notice, text: "upkeep goes on"),
                Line(level: .warning, text: "upkeep waits for the store"),
            ])
    }

    @Test("tells once of what stays refused, until it succeeds")
    func refusal() {
        let lines = Lines()
        let log = OutageLog(lines.logger, needed: "the store")
        for error in [Self.outage, Self.fault, Self.fault] { log.failedOnce("it failed", error) }
        log.succeeded()
        log.failedOnce("it failed", Self.fault)
        #expect(lines.all.withLock { $0 }.map(\.text) == ["it failed", "upkeep goes on", "it failed"])
    }
}
