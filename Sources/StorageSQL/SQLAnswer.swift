/// Rows that may still be on their way.
package protocol SQLAnswer {
    /// Waits for the rows.
    ///
    /// - Throws: what the statement failed with, or one that was sent before it.
    func rows() throws -> [SQLRow]
}

extension SQLAnswer {
    /// The first row; nil when there is none.
    package func first() throws -> SQLRow? {
        try rows().first
    }
}

/// Rows that are here.
struct KnownAnswer: SQLAnswer {
    let known: [SQLRow]

    func rows() -> [SQLRow] { known }
}

extension SQLSession {
    /// Runs the query at once: a database in this process is not far away.
    package func ask(_ sql: String, _ arguments: [SQLValue]) throws -> any SQLAnswer {
        KnownAnswer(known: try query(sql, arguments))
    }

    /// Runs the statement at once.
    package func perform(_ sql: String, _ arguments: [SQLValue]) throws {
        try execute(sql, arguments)
    }
}
