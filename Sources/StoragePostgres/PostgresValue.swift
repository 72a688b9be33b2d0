import CLibpq
import StorageSQL

/// Parameters of one statement in the binary format, in one buffer.
///
/// Their types are not given: the server takes them from where they stand. All whole numbers of the schema are `bigint`.
struct PostgresParameters {
    private var bytes: [UInt8] = []
    /// Of each parameter; nil for NULL.
    private var places: [Range<Int>?] = []

    /// No parameters.
    static let none = PostgresParameters()

    private init() {}

    /// The parameters of several statements, one behind the other, and nulls behind them.
    init(_ several: [PostgresParameters], nulls: Int) {
        for parameters in several {
            let start = bytes.count
            bytes += parameters.bytes
            places += parameters.places.map { $0.map { $0.lowerBound + start..<$0.upperBound + start } }
        }
        places += [Range<Int>?](repeating: nil, count: nulls)
    }

    /// - Throws: ``SQLError`` for a text with a zero byte, which Postgres cannot store.
    init(_ values: [SQLValue]) throws {
        places.reserveCapacity(values.count)
        bytes.reserveCapacity(values.count * 16)
        for value in values {
            let start = bytes.count
            switch value {
            case .null:
                places.append(nil)
                continue
            case .integer(let integer):
                withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
            case .text(let text):
                bytes.append(contentsOf: text.utf8)
                guard !bytes[start...].contains(0) else { throw SQLError(.other, "text with a zero byte") }
            case .bytes(let value):
                bytes.append(contentsOf: value)
            }
            places.append(start..<bytes.count)
        }
    }

    /// Calls libpq with what it wants: the number, the addresses, the lengths and the formats.
    func withArrays<Value>(
        _ body: (Int32, [UnsafePointer<CChar>?], [Int32], [Int32]) -> Value
    ) -> Value {
        var lengths: [Int32] = []
        lengths.reserveCapacity(places.count)
        for place in places { lengths.append(Int32(truncatingIfNeeded: place?.count ?? 0)) }
        let formats = [Int32](repeating: PostgresFormat.binary, count: places.count)
        return bytes.withUnsafeBytes { buffer in
            // An empty value has an address as well: none means NULL.
            withUnsafeBytes(of: 0 as UInt64) { nothing in
                let base = (buffer.baseAddress ?? nothing.baseAddress)?.assumingMemoryBound(to: CChar.self)
                var addresses: [UnsafePointer<CChar>?] = []
                addresses.reserveCapacity(places.count)
                for place in places { addresses.append(place.flatMap { base?.advanced(by: $0.lowerBound) }) }
                return body(Int32(truncatingIfNeeded: places.count), addresses, lengths, formats)
            }
        }
    }
}

/// How values are written (PostgreSQL documentation, 55.2.5).
enum PostgresFormat {
    static let binary: Int32 = 1
}

/// The answer to one statement; may be read on any thread.
final class PostgresResult: @unchecked Sendable {
    // Written by libpq before this is made, only read afterwards.
    private let pointer: OpaquePointer

    /// Takes over a result and frees it in the end.
    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }

    /// What a failed statement reported.
    var error: PostgresError { PostgresError(result: pointer) }

    /// How many rows were changed.
    var changes: Int { PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// The word that says what was done, such as `COMMIT`.
    var command: String { PQcmdStatus(pointer).map { String(cString: $0) } ?? "" }

    /// - Throws: ``SQLError`` for a type of column that no statement of ours has.
    func rows() throws -> [SQLRow] {
        let columns = PQnfields(pointer)
        let types = (0..<columns).map { PQftype(pointer, $0) }
        let count = PQntuples(pointer)
        var rows: [SQLRow] = []
        rows.reserveCapacity(Int(count))
        for row in 0..<count {
            var values: [SQLValue] = []
            values.reserveCapacity(Int(columns))
            for column in 0..<columns {
                values.append(try value(row, column, types[Int(column)]))
            }
            rows.append(SQLRow(values))
        }
        return rows
    }

    private func value(_ row: Int32, _ column: Int32, _ type: Oid) throws -> SQLValue {
        guard PQgetisnull(pointer, row, column) == 0 else { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, row, column), count: Int(PQgetlength(pointer, row, column)))
        switch type {
        case PostgresType.bigint, PostgresType.integer, PostgresType.smallint, PostgresType.boolean:
            return .integer(Self.integer(bytes))
        case PostgresType.bytea:
            return .bytes([UInt8](bytes))
        case PostgresType.text, PostgresType.name, PostgresType.varchar, PostgresType.unknown:
            return .text(String(decoding: bytes, as: UTF8.self))
        case PostgresType.void:
            return .null
        default:
            throw SQLError(.other, "column \(column) has the type \(type), which nothing here reads")
        }
    }

    /// One to eight bytes, the highest first, with a sign; a boolean is one byte.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var value: Int64 = bytes.first.map { $0 & 0x80 != 0 ? -1 : 0 } ?? 0
        for byte in bytes { value = value << 8 | Int64(byte) }
        return value
    }
}

/// The numbers of the types that columns have (`pg_type.dat`): the same in every database.
private enum PostgresType {
    static let boolean: Oid = 16
    static let bytea: Oid = 17
    static let name: Oid = 19
    static let bigint: Oid = 20
    static let smallint: Oid = 21
    static let integer: Oid = 23
    static let text: Oid = 25
    static let unknown: Oid = 705
    static let varchar: Oid = 1043
    static let void: Oid = 2278
}
