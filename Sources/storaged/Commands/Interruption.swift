import Glibc
import UnixSignals

/// The end of a command that somebody stopped.
struct Interruption: ExitingError {
    let signal: UnixSignal

    var description: String { "stopped by \(signal)" }
    var exitStatus: ExitStatus { signal == .sigint ? .interrupted : .terminated }

    /// Runs a body that SIGINT and SIGTERM cancel, so that it can leave everything in order; a second one ends the process.
    ///
    /// - Throws: ``Interruption`` when a signal came before the body ended.
    static func watching<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Outcome<Value>.self) { tasks in
            tasks.addTask { .signal(await nextSignal()) }
            tasks.addTask {
                do { return .ended(.success(try await body())) } catch { return .ended(.failure(error)) }
            }
            defer { tasks.cancelAll() }
            var signal: UnixSignal?
            while let outcome = try await tasks.next() {
                switch outcome {
                case .signal(let caught):
                    signal = caught
                    tasks.cancelAll()
                case .ended(let result):
                    if let signal { throw Interruption(signal: signal) }
                    return try result.get()
                }
            }
            throw CancellationError()
        }
    }

    private enum Outcome<Value: Sendable>: Sendable {
        case signal(UnixSignal?)
        case ended(Result<Value, any Error>)
    }

    /// The first signal; nil when the task is cancelled before.
    private static func nextSignal() async -> UnixSignal? {
        for await caught in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            _ = Glibc.signal(SIGINT, SIG_DFL)
            _ = Glibc.signal(SIGTERM, SIG_DFL)
            return caught
        }
        return nil
    }
}
