import StorageSQL

/// Finds out what a body of a read asks, and gives it the answer: bodies may be run again, and most ask one question.
///
/// The first run stops at the first query; a second one gets its rows. A body that asks more, or something else, belongs in a
/// transaction, where all its queries see one snapshot.
final class SingleQuestion: SQLSession {
    /// What came of a run.
    enum Run<Value> {
        case finished(Value)
        case asked(sql: String, arguments: [SQLValue])
        case needsTransaction
    }

    private struct Stop: Error {}

    private var question: (sql: String, arguments: [SQLValue])?
    private var answer: [SQLRow]?
    private var needsTransaction = false

    private init(_ answer: [SQLRow]?) {
        self.answer = answer
    }

    /// Runs a body; with the rows that its first query found, if they are known.
    ///
    /// - Throws: what the body throws of itself.
    static func run<Value>(_ body: (any SQLSession) throws -> Value, answer: [SQLRow]? = nil) throws -> Run<Value> {
        let session = SingleQuestion(answer)
        do {
            let value = try body(session)
            return session.needsTransaction ? .needsTransaction : .finished(value)
        } catch {
            if session.needsTransaction { return .needsTransaction }
            guard let question = session.question else { throw error }
            return .asked(sql: question.sql, arguments: question.arguments)
        }
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        if let rows = answer {
            answer = nil
            hasAnswered = true
            return rows
        }
        if hasAnswered || question != nil {
            needsTransaction = true
        } else {
            question = (sql, arguments)
        }
        throw Stop()
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        needsTransaction = true
        throw Stop()
    }

    func script(_ sql: String) throws {
        needsTransaction = true
        throw Stop()
    }

    func asksSeveralQuestions() throws {
        needsTransaction = true
        throw Stop()
    }

    private var hasAnswered = false
}
