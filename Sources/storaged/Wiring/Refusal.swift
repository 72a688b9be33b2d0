import StorageCore
import StorageSQL

/// A failure of the domain as the end of a command, in words for people: a start that is refused before anything was touched,
/// or something that a command was asked for and that cannot be.
struct Refusal: ExitingError {
    let description: String
    let exitStatus: ExitStatus

    private init(_ error: StorageError) {
        let cause = error.cause.map { " (\($0))" } ?? ""
        description = error.message + cause
        exitStatus =
            switch error.code {
            case _ where error.isTransient: .unavailable
            case .wrongStore: .configuration
            case .unprocessable, .loginTaken, .notFound, .invalidPath, .pathConflict, .exists, .insufficientStorage,
                .quotaExceeded:
                .failure
            default: .software
            }
    }

    /// Runs a part of the start, whose failures people are told in words.
    static func translating<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as StorageError {
            throw Refusal(error)
        } catch let error as SQLError {
            throw Refusal(StorageError(.wrongStore, "The database cannot be used.", cause: error))
        }
    }
}
