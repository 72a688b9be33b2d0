import AsyncHTTPClient
import StorageCore

extension S3Client {
    /// Reads the XML body of an answer as it comes.
    ///
    /// - Throws: What the service says, where an `Error` came in its place, whatever the status;
    ///   ``StorageError/Code/unavailable``, transient, for what cannot be read.
    func read<Body: AnswerBody>(_ type: Body.Type, of answer: S3Answer, to operation: String) async throws -> Body {
        let deadline = ContinuousClock.now + .seconds(120)
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
}
