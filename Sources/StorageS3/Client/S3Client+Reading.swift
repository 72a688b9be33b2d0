import AsyncHTTPClient
import StorageCore

extension S3Client {
    /// Reads the XML body of an answer as it comes.
    ///
    /// - Parameter duration: How long it may take.
    /// - Throws: What the service says, where an `Error` came in its place, whatever the status;
    ///   ``StorageError/Code/unavailable``, transient, for what cannot be read.
    func read<Body: AnswerBody>(
        _ type: Body.Type, of answer: S3Answer, to operation: String, within duration: Duration = .seconds(120)
    ) async throws -> Body {
        let deadline = ContinuousClock.now + duration
        var reader = AnswerReader<Body>()
        do {
            for try await chunk in answer.body {
                try reader.read(chunk)
                guard ContinuousClock.now < deadline else { throw S3Failure.unbelievable("an answer without end") }
            }
            switch try reader.finish() {
            case .success(let body): return body
            case .failure(let said): throw failure(operation, answer, said)
            }
        } catch let fault as AnswerFault {
            throw S3Failure.unbelievable("the answer to \(operation): \(fault)")
        } catch {
            throw S3Failure.transport(error)
        }
    }

    /// Runs a body, and cancels it when it takes longer.
    static func limited<Value: Sendable>(
        to duration: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: duration)
                throw S3Failure.transport(HTTPClientError.deadlineExceeded)
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
