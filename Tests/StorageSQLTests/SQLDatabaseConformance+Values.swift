import StorageSQL
import Testing

extension SQLDatabaseConformance {
    private static let texts = ["", "plain", "é", "e\u{301}", "Привет", "a\r\nb", "🗂", "'; DROP TABLE items; --", "$1"]
    private static let integers = [Int64.min, Int64.min + 1, -1, 0, 1, Int64.max - 1, Int64.max]
    private static let byteStrings: [[UInt8]] = [
        [], [0], [0, 0, 0], Array(0...255), Array(repeating: 0xff, count: 100_000),
    ]

    static let values = [
        SQLDatabaseClause("a value of each type comes back as it went in") { database in
            try await database.makeItems()
            let rows = try await database.write(.durable) { session in
                for (id, number) in integers.enumerated() {
                    try session.execute(
                        "INSERT INTO items (id, number) VALUES ($1, $2)", [.integer(Int64(id)), .integer(number)])
                }
                for (id, text) in texts.enumerated() {
                    try session.execute(
                        "INSERT INTO items (id, label) VALUES ($1, $2)", [.integer(Int64(100 + id)), .text(text)])
                }
                for (id, bytes) in byteStrings.enumerated() {
                    try session.execute(
                        "INSERT INTO items (id, bytes) VALUES ($1, $2)", [.integer(Int64(200 + id)), .bytes(bytes)])
                }
                return try session.query("SELECT number, label, bytes FROM items ORDER BY id", [])
            }
            let count = integers.count + texts.count
            #expect(try rows.prefix(integers.count).map { try $0.integer(0) } == integers)
            #expect(
                try rows[integers.count..<count].map { Array(try $0.text(1).utf8) } == texts.map { Array($0.utf8) })
            #expect(try rows[count...].map { try $0.bytes(2) } == byteStrings)
        },
        SQLDatabaseClause("no value, empty text and no bytes are three things") { database in
            try await database.makeItems()
            let rows = try await database.write(.durable) { session in
                try session.execute(
                    "INSERT INTO items (id, number, label, bytes) VALUES (1, $1, $2, $3)",
                    [.null, .text(""), .bytes([])])
                try session.execute(
                    "INSERT INTO items (id, number, label, bytes) VALUES (2, $1, $2, $3)", [.integer(0), .null, .null])
                return try session.query("SELECT number, label, bytes FROM items ORDER BY id", [])
            }
            #expect(rows.map(\.values) == [[.null, .text(""), .bytes([])], [.integer(0), .null, .null]])
            #expect(rows[0].isNull(0) && !rows[0].isNull(1) && !rows[0].isNull(2))
        },
        SQLDatabaseClause("bytes are compared as bytes") { database in
            try await database.makeItems()
            let order = try await database.write(.durable) { session in
                for (id, bytes) in ([[0xff], [0x61, 0], [0x61], [], [0x42]] as [[UInt8]]).enumerated() {
                    try session.execute(
                        "INSERT INTO items (id, bytes) VALUES ($1, $2)", [.integer(Int64(id)), .bytes(bytes)])
                }
                return try session.query("SELECT id FROM items ORDER BY bytes", []).map { try $0.integer(0) }
            }
            #expect(order == [3, 4, 2, 1, 0])
        },
        SQLDatabaseClause("text with a zero byte is refused") { database in
            try await database.makeItems()
            let error = try await thrown(SQLError.self) {
                try await database.write(.durable) { session in
                    try session.execute("INSERT INTO items (id, label) VALUES (1, $1)", [.text("a\0b")])
                }
            }
            let ids = try await database.ids()
            #expect(error != nil)
            #expect(ids.isEmpty)
        },
        SQLDatabaseClause("a number that is not whole is an error") { database in
            let error = try await thrown(SQLError.self) {
                try await database.read { try $0.query("SELECT 0.5", []) }
            }
            #expect(error?.kind == .other)
        },
        SQLDatabaseClause("a column of another type is an error") { database in
            let row = try await database.read { try $0.first("SELECT 1, $1", [.text("one")]) }
            let values = try #require(row)
            #expect(throws: SQLError.self) { try values.text(0) }
            #expect(throws: SQLError.self) { try values.integer(1) }
            #expect(throws: SQLError.self) { try values.optionalBytes(0) }
        },
    ]
}
