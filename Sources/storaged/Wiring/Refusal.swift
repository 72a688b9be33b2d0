import StorageCore
import StorageSQL

/// A database or store that cannot be used as it is: a start that is refused before anything was touched.
struct Refusal: ExitingError {
    let description: String
    let exitStatus: ExitStatus

    private init(_ error: StorageError) {
        let cause = error.cause.map { " (\($0))" } ?? ""
        description = error.message + cause
        exitStatus = error.isTransient ? .unavailable : error.code == .wrongStore ? .configuration : .software
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
