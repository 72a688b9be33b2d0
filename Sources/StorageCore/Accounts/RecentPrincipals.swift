import Synchronization

/// Remembers for a second at most whom a token belongs to, so that a burst of requests asks the database once.
///
/// The second counts from before the question. An answer that was under way when something was forgotten is not remembered.
final class RecentPrincipals: Sendable {
    /// The moment of a question, to be handed in with its answer.
    struct Question: Sendable {
        let moment: ContinuousClock.Instant
        fileprivate let epoch: UInt64
    }

    private struct Answer {
        let principal: Principal
        let moment: ContinuousClock.Instant
    }

    private struct State {
        var answers: LRUCache<TokenDigest, Answer>
        var epoch: UInt64 = 0
    }

    private static let lifetime = Duration.seconds(1)

    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    init(capacity: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.now = now
        state = Mutex(State(answers: LRUCache(capacity: capacity)))
    }

    /// The principal of a token, if it was asked for within the last second.
    func principal(for digest: TokenDigest) -> Principal? {
        let moment = now()
        return state.withLock { state in
            guard let answer = state.answers.value(for: digest) else { return nil }
            guard answer.moment.duration(to: moment) < Self.lifetime else {
                state.answers.remove(digest)
                return nil
            }
            return answer.principal
        }
    }

    /// To be called before the database is asked.
    func ask() -> Question {
        let moment = now()
        return state.withLock { Question(moment: moment, epoch: $0.epoch) }
    }

    /// Remembers the answer to a question.
    ///
    /// - Parameters:
    ///   - principal: The answer.
    ///   - digest: The token's.
    ///   - question: What was asked.
    ///   - age: How old the answer was already.
    func remember(
        _ principal: Principal, for digest: TokenDigest, asked question: Question, age: Duration = .zero
    ) {
        state.withLock { state in
            guard state.epoch == question.epoch else { return }
            let moment = question.moment.advanced(by: .zero - age)
            state.answers.insert(Answer(principal: principal, moment: moment), for: digest)
        }
    }

    /// Forgets the principals that the condition holds for, also those that are being asked for.
    func forget(where condition: (Principal) -> Bool) {
        state.withLock { state in
            state.epoch &+= 1
            state.answers.removeAll { condition($0.principal) }
        }
    }
}
