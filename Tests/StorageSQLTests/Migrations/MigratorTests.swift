import StorageCore
import StorageMigrations
import StorageSQL
import StorageSQLite
import Testing

@Suite struct MigratorTests {
    private static let steps = [
        Migration(number: 1, name: "one", up: "CREATE TABLE one (id BIGINT);", down: "DROP TABLE one;"),
        Migration(number: 2, name: "two", up: "CREATE TABLE two (id BIGINT);", down: "DROP TABLE two;"),
        Migration(number: 3, name: "three", up: "CREATE TABLE three (id BIGINT);", down: "DROP TABLE three;"),
    ]

    @Test func stepsAreTakenInOrderAndOnce() async throws {
        let database = try SQLiteDatabase.inMemory()
        let migrator = try Migrator(database: database, migrations: Self.steps)
        let before = try await migrator.status()
        let first = try await migrator.up(to: 2)
        let rest = try await migrator.up()
        let none = try await migrator.up()
        let after = try await migrator.status()
        #expect(before.map(\.number) == [1, 2, 3])
        #expect(before.allSatisfy { $0.appliedAt == nil })
        #expect(first == [1, 2])
        #expect(rest == [3])
        #expect(none == [])
        #expect(after.map(\.name) == ["one", "two", "three"])
        let now = Timestamp.now().microseconds
        for step in after {
            let time = try #require(step.appliedAt).microseconds
            #expect((now - 60_000_000...now + 60_000_000).contains(time))
        }
        let tables = try await tables(of: database)
        #expect(tables == ["migrations", "one", "three", "two"])
    }

    @Test func stepsAreUndoneNewestFirst() async throws {
        let database = try SQLiteDatabase.inMemory()
        let migrator = try Migrator(database: database, migrations: Self.steps)
        try await migrator.up()
        let undone = try await migrator.down(to: 1)
        let kept = try await tables(of: database)
        let again = try await migrator.up()
        let all = try await migrator.down(to: 0)
        let empty = try await tables(of: database)
        #expect(undone == [3, 2])
        #expect(kept == ["migrations", "one"])
        #expect(again == [2, 3])
        #expect(all == [3, 2, 1])
        #expect(empty == ["migrations"])
    }

    @Test func aSchemaThatLacksStepsDoesNotPassTheCheck() async throws {
        let database = try SQLiteDatabase.inMemory()
        let migrator = try Migrator(database: database, migrations: Self.steps)
        try await migrator.up(to: 1)
        let error = try await thrown(StorageError.self) { try await migrator.check() }
        #expect(error?.code == .wrongStore)
        #expect(error?.message.contains("2 (two)") == true)
        try await migrator.up()
        try await migrator.check()
    }

    @Test(arguments: ["up", "down", "name"])
    func aReleasedMigrationMustNotChange(_ part: String) async throws {
        let database = try SQLiteDatabase.inMemory()
        try await Migrator(database: database, migrations: Self.steps).up()
        var steps = Self.steps
        let step = steps[1]
        steps[1] = Migration(
            number: step.number, name: part == "name" ? "deux" : step.name,
            up: part == "up" ? step.up + " " : step.up, down: part == "down" ? step.down + " " : step.down)
        let changed = try Migrator(database: database, migrations: steps)
        for operation in [
            { _ = try await changed.status() }, { try await changed.check() }, { _ = try await changed.up() },
            { _ = try await changed.down(to: 0) },
        ] as [@Sendable () async throws -> Void] {
            let error = try await thrown(StorageError.self) { try await operation() }
            #expect(error?.code == .wrongStore)
            #expect(error?.message.contains("2 (two)") == true)
        }
        let tables = try await tables(of: database)
        #expect(tables == ["migrations", "one", "three", "two"])
    }

    @Test func aSchemaOfANewerVersionIsRefused() async throws {
        let database = try SQLiteDatabase.inMemory()
        try await Migrator(database: database, migrations: Self.steps).up()
        let older = try Migrator(database: database, migrations: Array(Self.steps.prefix(2)))
        for operation in [
            { try await older.check() }, { _ = try await older.up() }, { _ = try await older.down(to: 0) },
        ] as [@Sendable () async throws -> Void] {
            let error = try await thrown(StorageError.self) { try await operation() }
            #expect(error?.code == .wrongStore)
            #expect(error?.message.contains("3 (three)") == true)
        }
    }

    @Test func aGapInTheJournalIsRefused() async throws {
        let database = try SQLiteDatabase.inMemory()
        let migrator = try Migrator(database: database, migrations: Self.steps)
        try await migrator.up()
        try await database.write(.durable) { session in
            _ = try session.execute("DELETE FROM migrations WHERE number = 2", [])
        }
        let error = try await thrown(StorageError.self) { try await migrator.up() }
        #expect(error?.code == .wrongStore)
        #expect(error?.message.contains("3 (three)") == true)
    }

    @Test(arguments: [[2, 3], [1, 3], [1, 1], [2, 1]])
    func aListWithAGapIsRefused(_ numbers: [Int]) async throws {
        let database = try SQLiteDatabase.inMemory()
        let steps = numbers.map { Migration(number: $0, name: "step", up: "SELECT 1;", down: "SELECT 1;") }
        let error = #expect(throws: StorageError.self) { try Migrator(database: database, migrations: steps) }
        #expect(error?.code == .internal)
    }

    @Test(arguments: [-1, 4, .max])
    func aStepThatDoesNotExistIsNoTarget(_ target: Int) async throws {
        let migrator = try Migrator(database: SQLiteDatabase.inMemory(), migrations: Self.steps)
        let up = try await thrown(StorageError.self) { try await migrator.up(to: target) }
        let down = try await thrown(StorageError.self) { try await migrator.down(to: target) }
        #expect(up?.code == .unprocessable)
        #expect(down?.code == .unprocessable)
    }

    @Test func aStepThatFailsLeavesNothingAndNamesItself() async throws {
        let database = try SQLiteDatabase.inMemory()
        var steps = Self.steps
        steps[1] = Migration(
            number: 2, name: "two", up: "CREATE TABLE two (id BIGINT); CREATE TABLE one (id BIGINT);", down: "")
        let migrator = try Migrator(database: database, migrations: steps)
        let error = try await thrown(StorageError.self) { try await migrator.up() }
        let tables = try await tables(of: database)
        let status = try await migrator.status()
        #expect(error?.code == .internal)
        #expect(error?.message.contains("2 (two)") == true)
        #expect(tables == ["migrations", "one"])
        #expect(status.map { $0.appliedAt != nil } == [true, false, false])
    }

    @Test func twoMigratorsAtOnceTakeEachStepOnce() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            let steps = (1...20).map { number in
                Migration(
                    number: number, name: "step", up: "CREATE TABLE t\(number) (id BIGINT);",
                    down: "DROP TABLE t\(number);")
            }
            let databases = [try SQLiteDatabase.open(path: path), try SQLiteDatabase.open(path: path)]
            let taken = try await withThrowingTaskGroup(of: [Int].self) { group in
                for database in databases {
                    let migrator = try Migrator(database: database, migrations: steps)
                    group.addTask { try await migrator.up() }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let count = try await databases[0].read { try $0.query("SELECT number FROM migrations", []).count }
            #expect(taken.sorted() == Array(1...20))
            #expect(count == 20)
            for database in databases { try await database.close() }
        }
    }

    private func tables(of database: SQLiteDatabase) async throws -> [String] {
        try await database.read { session in
            try session.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", [])
                .map { try $0.text(0) }
        }
    }
}
