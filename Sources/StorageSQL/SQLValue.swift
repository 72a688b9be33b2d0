/// A value that goes into or comes out of a database.
package enum SQLValue: Hashable, Sendable {
    /// No value.
    case null
    /// A whole number of 64 bits.
    case integer(Int64)
    /// Text.
    case text(String)
    /// Bytes, compared as such.
    case bytes([UInt8])
}

/// One row of an answer, in the order of the selected columns.
package struct SQLRow: Sendable {
    package let values: [SQLValue]

    package init(_ values: [SQLValue]) {
        self.values = values
    }

    /// The number in a column.
    ///
    /// - Throws: ``SQLError`` when the column holds something else; likewise below.
    package func integer(_ column: Int) throws -> Int64 {
        guard case .integer(let value) = values[column] else { throw unexpected(column) }
        return value
    }

    package func optionalInteger(_ column: Int) throws -> Int64? {
        if case .null = values[column] { nil } else { try integer(column) }
    }

    package func text(_ column: Int) throws -> String {
        guard case .text(let value) = values[column] else { throw unexpected(column) }
        return value
    }

    package func optionalText(_ column: Int) throws -> String? {
        if case .null = values[column] { nil } else { try text(column) }
    }

    package func bytes(_ column: Int) throws -> [UInt8] {
        guard case .bytes(let value) = values[column] else { throw unexpected(column) }
        return value
    }

    package func optionalBytes(_ column: Int) throws -> [UInt8]? {
        if case .null = values[column] { nil } else { try bytes(column) }
    }

    package func isNull(_ column: Int) -> Bool {
        values[column] == .null
    }

    /// The row without its first column.
    package func dropFirst() -> SQLRow { SQLRow(Array(values.dropFirst())) }

    private func unexpected(_ column: Int) -> SQLError {
        SQLError(.other, "column \(column) holds a value of another type")
    }
}

/// A failure of the database, as the drivers report it.
package struct SQLError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// A unique index or primary key has the value already.
        case uniqueViolation
        /// Another constraint does not hold.
        case constraintViolation
        /// The database takes no writes while its metadata are moved, or after that; see ``SQLWriteBarrier``.
        case frozen
        /// Nothing came of it because others were in the way for too long, or too much is queued.
        case busy
        /// The database cannot be reached.
        case unreachable
        /// There is no room to write.
        case full
        /// The connection was lost while the commit was under way.
        case outcomeUnknown
        /// The database files are damaged, or not a database of ours.
        case damaged
        /// Everything else: a mistake of ours.
        case other
    }

    package let kind: Kind
    /// For operators: never shown to a client.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
