import StorageCore
import Testing

/// Expects that the body fails with this code.
func expect(
    _ code: StorageError.Code, at location: SourceLocation = #_sourceLocation, _ body: () async throws -> some Any
) async {
    do {
        let result = try await body()
        Issue.record("Expected the failure \(code.name), but the result is \(result).", sourceLocation: location)
    } catch let error as StorageError {
        #expect(error.code == code, sourceLocation: location)
    } catch {
        Issue.record("Expected a StorageError, but got \(error).", sourceLocation: location)
    }
}

/// Runs the body many times at once; returns what came of each, in no particular order.
func simultaneously<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: Result.self) { group in
        for index in 0..<count { group.addTask { try await body(index) } }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}

/// What the body returns, or the code that it fails with; every other error passes through.
func outcome<Success>(_ body: () async throws -> Success) async throws -> Result<Success, StorageError> {
    do {
        return .success(try await body())
    } catch let error as StorageError {
        return .failure(error)
    }
}

extension Result where Failure == StorageError {
    /// The value; nil for a failure.
    var value: Success? {
        if case .success(let value) = self { value } else { nil }
    }

    /// The code of the failure; nil for a success.
    var code: StorageError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
