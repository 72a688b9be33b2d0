import GRDB
import StorageCore
import StorageMigrations
import StorageSQL
import StorageTesting
import Testing

@testable import StorageSQLite

/// What is remembered of a database that others may write to.
@Suite struct RecallTests {
    @Test func theVersionStaysWhileNobodyCommitsAndChangesWithEveryCommitOfAnybody() async throws {
        try await withTemporaryDirectory { directory in
            let (here, there) = try databases(directory)
            try await here.makeItems()
            let first = try #require(here.version)
            _ = try await here.ids()
            _ = try await there.ids()
            #expect(here.version == first)
            try await there.write(.durable) { try $0.insert(1) }
            let second = try #require(here.version)
            #expect(second != first)
            #expect(there.version == second)
            try await here.write(.relaxed) { try $0.insert(2) }
            #expect(here.version != second)
            try await here.close()
            #expect(here.version == nil)
            #expect(there.version != nil)
            try await there.close()
        }
    }

    @Test func aCheckpointOfTheWholeLogDoesNotBringAnOldVersionBack() async throws {
        try await withTemporaryDirectory { directory in
            let here = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
            let pool = try DatabasePool(path: directory + "/metadata.sqlite")
            try await here.makeItems()
            var seen: Set<SQLVersion> = []
            for id in 1...30 {
                try await here.write(.durable) { try $0.insert(Int64(id)) }
                let version = try #require(here.version)
                #expect(seen.insert(version).inserted)
                // Pages go back into the file, and the log begins anew.
                if id.isMultiple(of: 3) { try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } }
            }
            try pool.close()
            try await here.close()
        }
    }

    @Test func aDatabaseInMemoryHasNoVersion() async throws {
        let database = try SQLiteDatabase.inMemory()
        #expect(database.version == nil)
        try await database.close()
    }

    @Test func aRecordIsRememberedUntilAnotherProcessChangesAnything() async throws {
        try await withTemporaryDirectory { directory in
            let (here, there) = try databases(directory)
            try await Migrator(database: here, migrations: Migration.sqlite).up()
            let (store, other) = (SQLMetadataStore(here), SQLMetadataStore(there))
            let login = try Login(Array("ann".utf8))
            let change = AccountChange.register(
                login: login, email: nil, passwordHash: "$test$", role: .user, ownSpace: false)
            let account = try #require(try await store.change(change).account)
            let container = account.container.id
            let path = try FilePath("a")
            _ = try await store.commit(.makeFolder(container, path))
            #expect(store.recall(.path(container, path)) == nil)
            let found = try await store.file(.path(container, path))
            #expect(found != nil)
            #expect(store.recall(.path(container, path)) == found)
            _ = try await other.commit(.makeFolder(container, try FilePath("b")))
            #expect(store.recall(.path(container, path)) == nil)
            _ = try await other.commit(.delete(.path(container, path), .none))
            let afterwards = try await store.file(.path(container, path))
            #expect(afterwards == nil)
            try await store.close()
            #expect(store.recall(.path(container, path)) == nil)
            try await other.close()
        }
    }

    private func databases(_ directory: String) throws -> (SQLiteDatabase, SQLiteDatabase) {
        let path = directory + "/metadata.sqlite"
        return (try SQLiteDatabase.open(path: path), try SQLiteDatabase.open(path: path))
    }
}
