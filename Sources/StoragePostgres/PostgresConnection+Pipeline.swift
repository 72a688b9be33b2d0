import CLibpq
import NIOCore
import StorageSQL

/// Statements on their way together (PostgreSQL documentation, 34.5): each is answered in its turn.
extension PostgresConnection {
    /// What became of one statement.
    enum Answer {
        case rows(PostgresResult)
        case failed(PostgresError)
        /// Not run: one before it failed.
        case passedOver
    }

    /// From now on statements are queued; only where no answer is still to come, as ``leavePipeline()``.
    func enterPipeline() throws(PostgresError) {
        guard PQenterPipelineMode(pointer) == 1 else { throw failure() }
    }

    /// From now on each statement is waited for.
    func leavePipeline() throws(PostgresError) {
        guard PQexitPipelineMode(pointer) == 1 else { throw failure() }
    }

    /// Queues one statement, compiled first where the server does not know it.
    ///
    /// - Returns: Whether it is compiled, which ``answer(to:isCompiled:)`` wants to know.
    func enqueue(_ sql: String, _ parameters: PostgresParameters) throws(PostgresError) -> Bool {
        var isCompiled = false
        if statements[sql] == nil, let name = newName(for: sql) {
            guard PQsendPrepare(pointer, name, sql, 0, nil) == 1 else { throw failure() }
            statements[sql] = name
            isCompiled = true
        }
        guard send(sql, parameters) else { throw failure() }
        return isCompiled
    }

    /// Sends what is queued and ends the batch: statements behind it run whatever became of those before.
    func synchronize() throws(PostgresError) {
        guard PQpipelineSync(pointer) == 1 else { throw failure() }
        try flush()
    }

    /// Reads the answer to the next statement.
    ///
    /// - Throws: when the connection is lost or has to be given up; no statement is answered from then on.
    func answer(to sql: String, isCompiled: Bool) throws(PostgresError) -> Answer {
        let deadline = NIODeadline.now() + Self.patience
        var refusal: PostgresError?
        if isCompiled {
            let result = try onlyResult(until: deadline)
            if result.status != PGRES_COMMAND_OK {
                statements[sql] = nil
                refusal = result.status == PGRES_PIPELINE_ABORTED ? nil : result.error
            }
        }
        let result = try onlyResult(until: deadline)
        if let refusal { return .failed(refusal) }
        switch result.status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: return .rows(result)
        case PGRES_PIPELINE_ABORTED: return .passedOver
        default: return .failed(result.error)
        }
    }

    /// Reads the end of a batch, behind the last of its answers.
    func endOfBatch() throws(PostgresError) {
        guard try nextResult(until: .now() + Self.patience)?.status == PGRES_PIPELINE_SYNC else { throw failure() }
    }

    /// The result of one message; after it comes the mark of its end.
    private func onlyResult(until deadline: NIODeadline) throws(PostgresError) -> PostgresResult {
        guard let result = try nextResult(until: deadline) else { throw failure() }
        if result.status == PGRES_FATAL_ERROR, result.error.endsConnection { throw result.error }
        guard try nextResult(until: deadline) == nil else {
            throw PostgresError(state: nil, "two answers to one query")
        }
        return result
    }
}
