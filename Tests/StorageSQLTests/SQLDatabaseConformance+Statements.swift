import StorageCore
import StorageSQL
import Testing

extension SQLDatabaseConformance {
    static let statements = [
        SQLDatabaseClause("a parameter may stand several times") { database in
            try await database.makeItems()
            let ids = try await database.write(.durable) { session in
                for id in 1...5 as ClosedRange<Int64> {
                    try session.execute(
                        "INSERT INTO items (id, number) VALUES ($1, CAST($1 AS BIGINT) * $2)",
                        [.integer(id), .integer(10)])
                }
                return try session.query(
                    "SELECT id FROM items WHERE id = $1 OR number = $2 OR id = $1 + 1 ORDER BY id",
                    [.integer(1), .integer(50)]
                ).map { try $0.integer(0) }
            }
            #expect(ids == [1, 2, 5])
        },
        SQLDatabaseClause("a statement runs again with other arguments") { database in
            try await database.makeItems()
            for id in 1...10 as ClosedRange<Int64> {
                try await database.write(.relaxed) { try $0.insert(id) }
                let found = try await database.read { session in
                    try session.exists("SELECT 1 FROM items WHERE id = $1", [.integer(id)])
                }
                let other = try await database.read { session in
                    try session.exists("SELECT 1 FROM items WHERE id = $1", [.integer(id + 1)])
                }
                #expect(found && !other)
            }
        },
        SQLDatabaseClause("arguments that do not match the parameters are refused") { database in
            let sql = "SELECT CAST($1 AS BIGINT) + CAST($2 AS BIGINT)"
            for arguments in [[], [.integer(1)], [.integer(1), .integer(2), .integer(3)]] as [[SQLValue]] {
                let error = try await thrown(SQLError.self) { try await database.read { try $0.query(sql, arguments) } }
                #expect(error != nil)
            }
            let sum = try await database.read { try $0.first(sql, [.integer(1), .integer(2)])?.integer(0) }
            #expect(sum == 3)
        },
        SQLDatabaseClause("a statement tells how many rows it changed") { database in
            try await database.makeItems()
            let counts = try await database.write(.durable) { session in
                for id in 1...3 as ClosedRange<Int64> { try session.insert(id) }
                return [
                    try session.execute("UPDATE items SET label = 'x' WHERE id <= $1", [.integer(2)]),
                    try session.execute("UPDATE items SET label = 'x' WHERE id > $1", [.integer(9)]),
                    try session.execute("CREATE TABLE more (id BIGINT)", []),
                    try session.execute("INSERT INTO more (id) VALUES (1), (2), (3)", []),
                    try session.execute("INSERT INTO items (id) VALUES (1) ON CONFLICT (id) DO NOTHING", []),
                    try session.execute("DELETE FROM items", []),
                ]
            }
            #expect(counts == [2, 0, 0, 3, 0, 3])
        },
        SQLDatabaseClause("RETURNING gives the rows and makes the change") { database in
            try await database.makeItems()
            let returned = try await database.write(.durable) { session in
                try session.query("INSERT INTO items (id) VALUES ($1), ($2) RETURNING id", [.integer(4), .integer(5)])
                    .map { try $0.integer(0) }
            }
            let ids = try await database.ids()
            #expect(returned == [4, 5])
            #expect(ids == [4, 5])
        },
        SQLDatabaseClause("constraints are told apart and foreign keys hold") { database in
            try await database.makeItems()
            try await database.write(.durable) { session in
                _ = try session.execute("INSERT INTO items (id, number) VALUES (1, 1)", [])
            }
            let cases: [(String, SQLError.Kind)] = [
                ("INSERT INTO items (id, number) VALUES (1, 2)", .uniqueViolation),
                ("INSERT INTO items (id, number) VALUES (2, 1)", .uniqueViolation),
                ("INSERT INTO owned (id, item) VALUES (1, NULL)", .constraintViolation),
                ("INSERT INTO owned (id, item) VALUES (1, 99)", .constraintViolation),
                ("INSERT INTO absent (id) VALUES (1)", .other),
                ("INSERT", .other),
            ]
            for (sql, kind) in cases {
                let error = try await thrown(SQLError.self) {
                    try await database.write(.durable) { try $0.execute(sql, []) }
                }
                #expect(error?.kind == kind, "\(sql)")
            }
        },
        SQLDatabaseClause("the clock is this machine's to a second, and the same in a whole statement") { database in
            let now = database.dialect.now
            let before = Timestamp.now().microseconds
            let row = try await database.read { try $0.first("SELECT \(now), \(now)", []) }
            let after = Timestamp.now().microseconds
            let values = try #require(row)
            let (first, second) = (try values.integer(0), try values.integer(1))
            #expect(first == second)
            #expect((before - 1_000_000...after + 1_000_000).contains(first))
        },
        SQLDatabaseClause("a script runs all its statements or none") { database in
            let error = try await thrown(SQLError.self) {
                try await database.write(.durable) { session in
                    try session.script(
                        "CREATE TABLE one (id BIGINT); -- a comment; with a semicolon\nINSERT INTO one (id) VALUES (1); CREATE"
                    )
                }
            }
            #expect(error != nil)
            try await database.write(.durable) { session in
                try session.script(
                    "CREATE TABLE one (id BIGINT);\n\nINSERT INTO one (id) VALUES (1), (2);\n-- the end\n")
            }
            let count = try await database.read { try $0.query("SELECT id FROM one", []).count }
            #expect(count == 2)
        },
    ]
}
