import HTTPTypes
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Problem")
struct ProblemTests {
    @Test(
        "says after how many seconds to come back, rounded up",
        arguments: [
            (nil, "1"), (.zero, "1"), (.seconds(-5), "1"), (.milliseconds(1), "1"), (.seconds(1), "1"),
            (.milliseconds(1_001), "2"), (.seconds(59), "59"), (.seconds(1_000_000), "3599"),
        ] as [(Duration?, String)])
    func retryAfter(_ pause: Duration?, _ seconds: String) {
        let problem = Problem(StorageError(.unavailable, "Later.", isTransient: true, retryAfter: pause))
        #expect(problem.status == .serviceUnavailable)
        #expect(problem.headers[.retryAfter] == seconds)
    }

    @Test("says of a limit how long it lasts, however long", arguments: [(8_640, "8640"), (1_000_000, "1000000")])
    func limits(_ pause: Int64, _ seconds: String) {
        let problem = Problem(
            StorageError(.tooManyRequests, "Later.", isTransient: true, retryAfter: .seconds(pause)))
        #expect(problem.status == .tooManyRequests)
        #expect(problem.headers[.retryAfter] == seconds)
    }

    @Test("says nothing of the kind about what will not pass by itself")
    func permanent() {
        #expect(Problem(StorageError(.notFound, "No.", retryAfter: .seconds(3))).headers[.retryAfter] == nil)
    }
}
