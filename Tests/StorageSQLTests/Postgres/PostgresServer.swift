import Foundation
import StorageCore
import StorageMigrations
import StorageSQL
import Testing

@testable import StoragePostgres

/// The Postgres that tests have of their own; `make test` starts it.
enum PostgresServer {
    /// Its URL; nil where there is none. CI counts a test that does not run for that as a failure.
    static let url = ProcessInfo.processInfo.environment["STORAGED_TEST_POSTGRES"].flatMap { $0.isEmpty ? nil : $0 }

    /// Gives a test a schema of its own, empty, and removes it afterwards.
    static func withDatabase<Value>(
        pool: PostgresPool.Options = .init(), observer: some ResilienceObserver = LoggingResilienceObserver(),
        _ body: (PostgresDatabase) async throws -> Value
    ) async throws -> Value {
        try await withSchema { url in try await open(url, pool, observer, body) }
    }

    /// Gives a test the URL of a schema of its own, empty, and removes it afterwards.
    static func withSchema<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        try await withPlace { url, _ in
            let schema = "test_\(UUID().uuidString.prefix(13).replacing("-", with: "").lowercased())"
            try await run("CREATE SCHEMA \(schema)", on: url)
            return try await cleaningUp {
                try await body(searching(schema, at: url))
            } by: {
                try await run("DROP SCHEMA \(schema) CASCADE", on: url)
            }
        }
    }

    /// Gives a test the tables of a metadata store, empty.
    ///
    /// Making them takes a second, as the server puts every table on the disk: tests that come one after the other get the same.
    static func withStore<Value>(_ body: (PostgresDatabase) async throws -> Value) async throws -> Value {
        try await withPlace { url, place in
            let schema = "store_\(process)_\(place)"
            try await run("CREATE SCHEMA IF NOT EXISTS \(schema)", on: url)
            return try await open(searching(schema, at: url)) { database in
                try await Migrator(database: database, migrations: Migration.postgres).up()
                try await database.write(.durable) { session in
                    for table in tables { try session.execute("DELETE FROM \(table)", []) }
                }
                return try await body(database)
            }
        }
    }

    /// In an order in which nothing refers to what is gone.
    private static let tables = [
        "audit", "settings", "uploads", "links", "revisions", "files", "blobs", "usage_deltas", "credentials",
        "containers",
        "accounts",
    ]
    private static let process = ProcessInfo.processInfo.processIdentifier
    /// How many tests are given to the server at a time: more would wait for each other's locks longer than the server allows.
    private static let places = Places(4)
    /// The place that a test has, when it asks for a second schema: tests that waited for second places would wait for each other.
    @TaskLocal private static var taken: String?

    private static func withPlace<Value>(_ body: (String, String) async throws -> Value) async throws -> Value {
        let url = try #require(url, "STORAGED_TEST_POSTGRES names no server")
        if let taken {
            let second = taken + "_second"
            return try await $taken.withValue(second) { try await body(url, second) }
        }
        let place = await places.take()
        return try await cleaningUp {
            try await $taken.withValue("\(place)") { try await body(url, "\(place)") }
        } by: {
            await places.giveBack(place)
        }
    }

    private static func searching(_ schema: String, at url: String) -> String {
        "\(url)\(url.contains("?") ? "&" : "?")options=-csearch_path%3D\(schema)"
    }

    private static func open<Value>(
        _ url: String, _ pool: PostgresPool.Options = .init(),
        _ observer: some ResilienceObserver = LoggingResilienceObserver(),
        _ body: (PostgresDatabase) async throws -> Value
    ) async throws -> Value {
        let database = try await PostgresDatabase.open(url: url, pool: pool, observer: observer)
        return try await cleaningUp {
            try await body(database)
        } by: {
            try await database.close()
        }
    }

    private static func cleaningUp<Value>(
        _ body: () async throws -> Value, by cleaning: () async throws -> Void
    ) async throws -> Value {
        do {
            let value = try await body()
            try await cleaning()
            return value
        } catch {
            try? await cleaning()
            throw error
        }
    }

    /// Runs a statement as an administrator would.
    static func run(_ statement: String, on url: String) async throws {
        var pool = PostgresPool.Options()
        (pool.size, pool.maxOverflow) = (1, 0)
        let database = try await PostgresDatabase.open(url: url, pool: pool)
        do {
            try await database.write(.durable) { try $0.script(statement) }
            try await database.close()
        } catch {
            try? await database.close()
            throw error
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For suites that need a Postgres.
    static var needsPostgres: Self { .enabled(if: PostgresServer.url != nil, "STORAGED_TEST_POSTGRES names no server") }
}

/// A number of places, which those who come wait for.
private actor Places {
    private var free: [Int]
    private var waiting: [CheckedContinuation<Int, Never>] = []

    init(_ count: Int) {
        free = Array(0..<count)
    }

    func take() async -> Int {
        if let place = free.popLast() { return place }
        return await withCheckedContinuation { waiting.append($0) }
    }

    func giveBack(_ place: Int) {
        if waiting.isEmpty { free.append(place) } else { waiting.removeFirst().resume(returning: place) }
    }
}
