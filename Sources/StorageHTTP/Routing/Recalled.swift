public import NIOCore

/// An answer that takes no task.
public enum Recalled<Answer: Sendable>: Sendable {
    /// It is here.
    case now(Answer)
    /// It comes on the event loop that it was asked for on; nil where it has to be asked for in the usual way after all.
    case soon(EventLoopFuture<Answer?>)

    /// The same with another answer, also in place of a failure; nothing where there is none.
    func compactMap<Other: Sendable>(
        _ body: @escaping @Sendable (Answer) -> Other?, failure: @escaping @Sendable (any Error) -> Answer
    ) -> Recalled<Other>? {
        switch self {
        case .now(let answer): body(answer).map { .now($0) }
        case .soon(let future): .soon(future.flatMapErrorThrowing { failure($0) }.map { $0.flatMap(body) })
        }
    }
}
