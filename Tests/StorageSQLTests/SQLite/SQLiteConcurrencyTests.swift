import StorageSQL
import StorageSQLite
import Testing

@Suite struct SQLiteConcurrencyTests {
    @Test func aReadDoesNotWaitForTheWriter() async throws {
        try await withDatabases { database, _ in
            let gate = Gate()
            async let written: Void = database.write(.durable) { session in
                try session.insert(1)
                gate.pass()
            }
            await gate.isReached()
            let during = try await database.ids()
            gate.open()
            try await written
            let after = try await database.ids()
            #expect(during == [])
            #expect(after == [1])
        }
    }

    @Test func aWriterWaitsForTheTransactionOfAnother() async throws {
        try await withDatabases { database, other in
            let gate = Gate()
            async let first: Void = other.write(.durable) { session in
                gate.pass()
                try session.insert(1)
            }
            await gate.isReached()
            async let second: [Int64] = database.write(.durable) { session in
                try session.insert(2)
                return try session.query("SELECT id FROM items ORDER BY id", []).map { try $0.integer(0) }
            }
            gate.open()
            try await first
            let seen = try await second
            let ids = try await other.ids()
            #expect(seen.contains(2))
            #expect(ids == [1, 2])
        }
    }

    @Test func aWriterThatWaitsTooLongIsToldSoAndWritesNothing() async throws {
        var options = SQLiteDatabase.Options()
        options.busyTimeout = .milliseconds(50)
        try await withDatabases(options) { database, other in
            let gate = Gate()
            async let first: Void = other.write(.durable) { session in
                try session.insert(1)
                gate.pass()
            }
            await gate.isReached()
            let error = try await thrown(SQLError.self) { try await database.write(.durable) { try $0.insert(2) } }
            gate.open()
            try await first
            let ids = try await database.ids()
            #expect(error?.kind == .busy)
            #expect(ids == [1])
        }
    }

    @Test func moreThanMayWaitAreRefused() async throws {
        var options = SQLiteDatabase.Options()
        options.waiting = 10
        try await withDatabases(options) { database, _ in
            let gate = Gate()
            async let held: Void = database.write(.durable) { _ in gate.pass() }
            await gate.isReached()
            let kinds = try await withThrowingTaskGroup(of: SQLError.Kind?.self) { group in
                for number in 1...30 as ClosedRange<Int64> {
                    group.addTask {
                        try await thrown(SQLError.self) {
                            try await database.write(.durable) { try $0.insert(number) }
                        }?.kind
                    }
                }
                var kinds: [SQLError.Kind?] = []
                for try await kind in group {
                    kinds.append(kind)
                    if kinds.count == 20 { gate.open() }
                }
                return kinds
            }
            try await held
            let ids = try await database.ids()
            #expect(kinds == Array(repeating: .busy, count: 20) + Array(repeating: nil, count: 10))
            #expect(ids.count == 10)
        }
    }

    @Test func manyMayMakeUseAndCloseTheSameFileAtOnce() async throws {
        for _ in 0..<20 {
            try await withTemporaryDirectory { directory in
                let path = directory + "/metadata.sqlite"
                try await withThrowingTaskGroup { group in
                    for _ in 0..<5 {
                        group.addTask {
                            let database = try SQLiteDatabase.open(path: path)
                            try await database.write(.durable) { session in
                                try session.script("CREATE TABLE IF NOT EXISTS items (id INTEGER)")
                                try session.insert(1)
                            }
                            try await database.close()
                        }
                    }
                    try await group.waitForAll()
                }
                let database = try SQLiteDatabase.open(path: path)
                let ids = try await database.ids()
                #expect(ids == [1, 1, 1, 1, 1])
                try await database.close()
            }
        }
    }

    /// Two connections of their own to one file, as two processes have them.
    private func withDatabases(
        _ options: SQLiteDatabase.Options = SQLiteDatabase.Options(),
        _ body: (SQLiteDatabase, SQLiteDatabase) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let one = try SQLiteDatabase.open(path: directory + "/metadata.sqlite", options)
            let other = try SQLiteDatabase.open(path: directory + "/metadata.sqlite", options)
            try await one.makeItems()
            try await body(one, other)
            try await one.close()
            try await other.close()
        }
    }
}
