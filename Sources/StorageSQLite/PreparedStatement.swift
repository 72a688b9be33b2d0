import GRDBSQLite
import StorageSQL

/// A compiled statement as values go in and rows come out.
struct PreparedStatement {
    let pointer: OpaquePointer

    /// SQLite copies what is bound with it before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// Binds `$1`, `$2`, … wherever they stand.
    ///
    /// SQLite numbers such parameters by their first appearance; the number in the name decides here, as it does in Postgres.
    ///
    /// - Returns: the first result code that is not `SQLITE_OK`.
    /// - Throws: ``SQLError`` when parameters and arguments do not match, or a text has a zero byte.
    func bind(_ arguments: [SQLValue]) throws -> Int32 {
        let count = Int(sqlite3_bind_parameter_count(pointer))
        guard count == arguments.count else {
            throw SQLError(.other, "\(arguments.count) arguments for \(count) parameters")
        }
        for index in arguments.indices {
            let position = Int32(truncatingIfNeeded: index + 1)
            guard let number = Self.number(sqlite3_bind_parameter_name(pointer, position)), number <= count else {
                throw SQLError(.other, "a parameter that is not one of $1 … $\(count)")
            }
            let code = try bind(arguments[number - 1], at: position)
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }

    /// The row that the statement stands on.
    func row() throws -> SQLRow {
        let count = sqlite3_column_count(pointer)
        var values: [SQLValue] = []
        values.reserveCapacity(Int(count))
        for column in 0..<count {
            values.append(try value(column))
        }
        return SQLRow(values)
    }

    private func bind(_ value: SQLValue, at position: Int32) throws -> Int32 {
        switch value {
        case .null:
            return sqlite3_bind_null(pointer, position)
        case .integer(let integer):
            return sqlite3_bind_int64(pointer, position, integer)
        case .text(var text):
            return try text.withUTF8 { bytes in
                guard !bytes.contains(0) else { throw SQLError(.other, "text with a zero byte") }
                // A nil address would be bound as NULL.
                guard let address = bytes.baseAddress else {
                    return sqlite3_bind_text(pointer, position, "", 0, Self.transient)
                }
                return address.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text64(
                        pointer, position, $0, sqlite3_uint64(bytes.count), Self.transient, UInt8(SQLITE_UTF8))
                }
            }
        case .bytes(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(pointer, position, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob64(pointer, position, $0.baseAddress, sqlite3_uint64($0.count), Self.transient)
            }
        }
    }

    private func value(_ column: Int32) throws -> SQLValue {
        switch sqlite3_column_type(pointer, column) {
        case SQLITE_INTEGER:
            return .integer(sqlite3_column_int64(pointer, column))
        case SQLITE_TEXT:
            let start = sqlite3_column_text(pointer, column)
            let count = Int(sqlite3_column_bytes(pointer, column))
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            // The address of an empty blob is nil.
            let start = sqlite3_column_blob(pointer, column)
            let count = Int(sqlite3_column_bytes(pointer, column))
            return .bytes([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        case SQLITE_NULL:
            return .null
        default:
            throw SQLError(.other, "column \(column) holds a floating-point number")
        }
    }

    /// The number in a parameter's name; nil when the name is not `$` and a number from 1.
    private static func number(_ name: UnsafePointer<CChar>?) -> Int? {
        guard let name, name[0] == CChar(UInt8(ascii: "$")) else { return nil }
        var number = 0
        var index = 1
        while name[index] != 0 {
            let digit = Int(name[index]) - Int(UInt8(ascii: "0"))
            guard (0...9).contains(digit), number < 100_000 else { return nil }
            number = number * 10 + digit
            index += 1
        }
        return number > 0 ? number : nil
    }
}
