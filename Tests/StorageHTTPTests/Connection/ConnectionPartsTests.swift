import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import StorageHTTP

/// The parts of a connection that need no socket.
struct ConnectionPartsTests {
    // MARK: Rate of a body

    private static func rate(_ bytesPerSecond: Int) -> BodyRate {
        var limits = ConnectionLimits()
        limits.bodyRate = bytesPerSecond
        return BodyRate(limits: limits)
    }

    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func bodyWithoutAByteLastsForTheGracePeriod() {
        let rate = Self.rate(1_024)
        #expect(rate.deadline(waitingSince: start) == start + .seconds(30))
    }

    @Test func bodyAtTheRateLastsForEver() {
        var rate = Self.rate(1_024)
        for _ in 0..<100_000 {
            rate.waited(.seconds(1))
            rate.received(bytes: 1_024)
        }
        #expect(rate.deadline(waitingSince: start) == start + .seconds(30))
    }

    @Test func bodyAtHalfTheRateEndsWhenItsLagUsedUpTheGracePeriod() {
        var rate = Self.rate(1_024)
        var waited = 0
        while let deadline = rate.deadline(waitingSince: start), deadline > start + .seconds(1) {
            rate.waited(.seconds(1))
            rate.received(bytes: 512)
            waited += 1
        }
        #expect((55...65).contains(waited))
    }

    @Test func fastStartEarnsNoMoreThanTheWindow() {
        var rate = Self.rate(1_024)
        rate.received(bytes: 1 << 40)
        #expect(rate.deadline(waitingSince: start) == start + .seconds(60))
    }

    @Test func hugeNumbersDoNotTrap() {
        var rate = Self.rate(1)
        rate.received(bytes: .max)
        rate.waited(.nanoseconds(.max))
        rate.waited(.nanoseconds(.max))
        rate.waited(.nanoseconds(.min))
        #expect(rate.deadline(waitingSince: start) == start)
    }

    @Test func rateOfZeroPermitsEverything() {
        var rate = Self.rate(0)
        rate.waited(.hours(100))
        #expect(rate.deadline(waitingSince: start) == nil)
    }

    // MARK: Receive buffers

    @Test func receiveBuffersGrowWithTheClientAndShrinkWithIt() {
        var sizing = ReceiveBufferSizing(largest: 256 << 10)
        let allocator = ByteBufferAllocator()
        #expect(sizing.buffer(allocator: allocator).capacity == 2_048)
        var reads = 0
        while sizing.buffer(allocator: allocator).capacity < 256 << 10, reads < 100 {
            _ = sizing.record(actualReadBytes: sizing.buffer(allocator: allocator).capacity)
            reads += 1
        }
        #expect(reads == 4)
        for _ in 0..<20 { _ = sizing.record(actualReadBytes: 100) }
        #expect(sizing.buffer(allocator: allocator).capacity == 2_048)
        for _ in 0..<20 { _ = sizing.record(actualReadBytes: 1_500) }
        #expect(sizing.buffer(allocator: allocator).capacity == 2_048)
    }

    // MARK: Targets

    @Test(
        arguments: [
            ("/", "/", nil), ("/a%2Fb?c=%20&d", "/a%2Fb?c=%20&d", nil), ("//x/y", "//x/y", nil), ("/a:b", "/a:b", nil),
            ("http://h/p?q", "/p?q", "h"), ("HTTPS://h:1/p", "/p", "h:1"), ("http://h", "/", "h"),
            ("http://h?q", "/?q", "h"),
            ("http://[::1]:80/", "/", "[::1]:80"),
        ] as [(String, String, String?)])
    func targetIsSplitIntoPathAndAuthority(target: String, path: String, authority: String?) throws {
        let parsed = try TargetForm(target, method: .get)
        #expect(parsed.path == path)
        #expect(parsed.authority == authority)
    }

    @Test(arguments: [
        "", "a", "*", "ftp://h/", "http:/h", "http://", "http://a@h/", "/\u{20AC}", "/a b", "/a\tb", "/a#b", "/\u{7F}",
    ])
    func impossibleTargetIsRefused(target: String) {
        #expect(throws: ConnectionFault.malformedRequest) { try TargetForm(target, method: .get) }
    }

    // MARK: Numbers

    @Test(
        arguments: [
            ("0", 0), ("00", 0), ("7", 7), ("9223372036854775807", Int64.max), ("0000000000000000000000000000001", 1),
            ("9223372036854775808", nil), ("99999999999999999999999", nil), ("", nil), ("+1", nil), ("-1", nil),
            (" 1", nil),
            ("1 ", nil), ("0x1", nil), ("1e3", nil), ("\u{0661}", nil), ("\u{FF11}", nil),
        ] as [(String, Int64?)])
    func decimalIsDigitsOnly(text: String, value: Int64?) {
        #expect(Octets.decimal(text.utf8) == value)
    }

    // MARK: Limits

    @Test func checksAreFrequentEnoughForTheShortestLimitAndNeverBusy() {
        var limits = ConnectionLimits()
        #expect(limits.checkInterval == .milliseconds(3_750))
        limits.idleTimeout = .milliseconds(1)
        #expect(limits.checkInterval == .milliseconds(10))
    }

    // MARK: Answers of the connection's own

    @Test(arguments: ConnectionFault.allCases)
    func faultsAreProblemDocuments(fault: ConnectionFault) {
        let answer = ConnectionFaultAnswer.problem(fault)
        #expect(answer.status == fault.status)
        #expect(answer.headers[.contentType] == "application/problem+json")
        let text = String(buffer: answer.body)
        #expect(text.hasPrefix("{\"type\":\"about:blank\",\"title\":\""))
        let id = answer.headers[.xRequestID] ?? ""
        #expect(UUID(uuidString: id) != nil)
        #expect(
            text.hasSuffix("\"code\":\"\(fault.code)\",\"message\":\"\(fault.detail)\",\"request_id\":\"\(id)\"}"))
        #expect(!text.utf8.contains(UInt8(ascii: "\n")))
    }
}
