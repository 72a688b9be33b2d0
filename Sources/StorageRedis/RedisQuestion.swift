import NIOCore
import NIOPosix
import Synchronization

/// Somebody who waits for an answer, but not for long: whoever answers first, Redis or the clock, counts.
final class RedisQuestion<Answer: Sendable>: Sendable {
    private let waiter: Mutex<CheckedContinuation<Answer, Never>?>

    /// Asks and waits.
    ///
    /// - Parameters:
    ///   - deadline: When `late` is the answer.
    ///   - ask: Has the question answered, sooner or later, by whomever.
    static func ask(
        until deadline: NIODeadline, late: Answer, _ ask: (@escaping @Sendable (Answer) -> Void) -> Void
    ) async -> Answer {
        await withCheckedContinuation { continuation in
            let question = RedisQuestion(continuation)
            let timer = NIOSingletons.posixEventLoopGroup.any().scheduleTask(deadline: deadline) {
                question.answer(late)
            }
            ask { answer in
                question.answer(answer)
                timer.cancel()
            }
        }
    }

    private init(_ waiter: CheckedContinuation<Answer, Never>) {
        self.waiter = Mutex(waiter)
    }

    /// Answers, unless somebody has.
    private func answer(_ answer: Answer) {
        let waiter = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        waiter?.resume(returning: answer)
    }
}
