import NIOCore
import NIOPosix
import StorageCore
import StorageSQLite
import Testing

@testable import StorageSQL

/// The facts of current revisions that stand in the rows of the files too.
@Suite("The facts in the rows of files")
struct FileFactsTests {
    private let id = FileID(high: 5, low: 2)
    private let container = ContainerID(high: 2, low: 1)

    private var file: FileSelector { .id(container, id) }

    /// Rows as versions before this step wrote them: a folder, and a file with two revisions, the older one with a name.
    private func fillWithoutFacts(_ database: MovingDatabase) async throws {
        try await database.migrator.up(to: 2)
        func bytes<Entity>(_ id: Identifier<Entity>) -> SQLValue { .bytes(id.bytes) }
        let account = AccountID(high: 1, low: 1)
        try await database.execute(
            "INSERT INTO accounts (id, kind, role, serial, created_at) VALUES ($1, 'registered', 'user', 1, 5)",
            [bytes(account)])
        try await database.execute(
            "INSERT INTO containers (id, account_id, space, used_bytes, used_files) VALUES ($1, $2, $3, 20, 1)",
            [bytes(container), bytes(account), bytes(Space.shared.id)])
        for number in 1...3 as ClosedRange<UInt64> {
            try await database.execute(
                "INSERT INTO blobs (id, space, hash, gen, size, state, state_at) VALUES ($1, $2, $3, $4, $5, 'live', 5)",
                [
                    bytes(BlobID(high: 4, low: number)), bytes(Space.shared.id), .bytes(digest(number)),
                    .integer(Int64(number) * 7), .integer(Int64(number) * 10),
                ])
        }
        try await database.execute(
            """
            INSERT INTO files (id, container_id, path, depth, type, kind, created_at, modified_at)
            VALUES ($1, $2, $3, 0, 'folder', 'other', 5, 5)
            """, [bytes(FileID(high: 5, low: 1)), bytes(container), .bytes(Array("f".utf8))])
        try await database.execute(
            """
            INSERT INTO files (id, container_id, path, depth, type, revision_id, kind, created_at, modified_at)
            VALUES ($1, $2, $3, 1, 'file', $4, 'text', 5, 9)
            """,
            [bytes(id), bytes(container), .bytes(Array("f/g".utf8)), bytes(RevisionID(high: 6, low: 2))])
        try await addRevision(1, at: 5, named: "\u{e9}", to: database)
        try await addRevision(2, at: 7, named: nil, to: database)
    }

    private func digest(_ number: UInt64) -> [UInt8] { [UInt8](repeating: UInt8(number), count: 32) }

    private func addRevision(
        _ number: UInt64, at time: Int64, named name: String?, to database: MovingDatabase
    ) async throws {
        try await database.execute(
            """
            INSERT INTO revisions
            (id, file_id, container_id, number, blob_id, size, media_type, sent_name, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, 'text/plain', $7, $8)
            """,
            [
                .bytes(RevisionID(high: 6, low: number).bytes), .bytes(id.bytes), .bytes(container.bytes),
                .integer(Int64(number)), .bytes(BlobID(high: 4, low: number).bytes), .integer(Int64(number) * 10),
                name.map(SQLValue.text) ?? .null, .integer(time),
            ])
    }

    private func revision(_ number: UInt64, at time: Int64, named name: String? = nil) throws -> Revision {
        Revision(
            id: RevisionID(high: 6, low: number),
            blob: BlobKey(
                space: .shared, digest: try #require(BlobDigest(bytes: digest(number))), generation: Int64(number) * 7),
            size: Int64(number) * 10, mediaType: try #require(MediaType("text/plain")), sentName: name,
            createdAt: Timestamp(microseconds: time))
    }

    /// How many rows tell a lookup all.
    private func copies(in database: MovingDatabase) async throws -> Int64? {
        try await database.database.read { session in
            try session.first(
                "SELECT COUNT(*) FROM files WHERE copy_of = revision_id AND number IS NOT NULL AND hash IS NOT NULL", []
            )?.integer(0)
        }
    }

    @Test("are filled in by housekeeping, and can be undone and made again", arguments: Engine.available)
    func migration(_ engine: Engine) async throws {
        try await engine.withDatabase { databases in
            let database = databases[0]
            try await fillWithoutFacts(database)
            try await database.migrator.up()
            for _ in 0..<2 {
                let before = try await database.store.file(file)
                let copiedBefore = try await copies(in: database)
                let goesOn = try await database.store.tidy(.backfill)
                let isThere = try await database.store.tidy(.backfill)
                #expect(before?.revision != nil)
                #expect(copiedBefore == 0)
                #expect(goesOn && !isThere)
                let found = try await database.store.file(file)
                let folder = try await database.store.file(.path(container, try FilePath("f")))
                let expected = try revision(2, at: 7)
                let copied = try await copies(in: database)
                #expect(found?.revision == expected)
                #expect(found?.modifiedAt == Timestamp(microseconds: 9))
                #expect(folder?.isFolder == true)
                #expect(copied == 1)
                let inspected = try await database.store.inspectContainers(after: nil, limit: 2)
                #expect(inspected.map(\.miscopiedFiles) == [0])
                let undone = try await database.migrator.down(to: 2)
                #expect(undone == [5, 4, 3])
                try await database.migrator.up()
            }
        }
    }

    @Test("that cannot be are damage, and nothing that ends the process", arguments: Engine.available)
    func impossibleSize(_ engine: Engine) async throws {
        try await engine.withDatabase { databases in
            let database = databases[0]
            try await fillWithoutFacts(database)
            try await database.migrator.up()
            while try await database.store.tidy(.backfill) {}
            try await database.execute("UPDATE files SET size = -1 WHERE type = 'file'")
            let error = try await thrown(StorageError.self) { try await database.store.file(file) }
            #expect(error?.code == .internal)
        }
    }

    @Test("are not believed of a file that a version without them has written since", arguments: Engine.available)
    func olderWriters(_ engine: Engine) async throws {
        try await engine.withDatabase { databases in
            let database = databases[0]
            try await fillWithoutFacts(database)
            try await database.migrator.up()
            while try await database.store.tidy(.backfill) {}
            try await addRevision(3, at: 11, named: "new", to: database)
            try await database.execute(
                "UPDATE files SET revision_id = $1, modified_at = 11 WHERE id = $2",
                [.bytes(RevisionID(high: 6, low: 3).bytes), .bytes(id.bytes)])
            let store = database.store
            let expected = try revision(3, at: 11, named: "new")
            let found = try await store.file(file)
            let path = FileSelector.path(container, try FilePath("f/g"))
            let byPath = try await store.file(path)
            let listed = try await store.list(ListQuery(container: container)).entries.map(\.revision)
            let usage = try await store.folderUsage(of: container, after: nil, limit: 10).entries
            #expect(found?.revision == expected)
            #expect(byPath == found)
            #expect(listed == [expected])
            #expect(usage.map(\.bytes) == [30])
            if let future = store.file(path, on: NIOSingletons.posixEventLoopGroup.any()) {
                let asked = try await future.get()
                #expect(asked == found)
            } else {
                #expect(engine == .sqlite)
            }
            let inspected = try await store.inspectContainers(after: nil, limit: 1)
            #expect(inspected.map(\.miscopiedFiles) == [0])
            // The next version of the file has them again.
            let moved = try await store.commit(
                .restore(
                    FileChange.Restoration(
                        container: container, file: id, revision: RevisionID(high: 6, low: 1), precondition: .none,
                        keepRevisions: 5)))
            let copied = try await copies(in: database)
            #expect(moved.record?.revision?.blob == (try revision(1, at: 5)).blob)
            #expect(copied == 1)
        }
    }

    @Test("are filled in batch by batch, and by no process twice", arguments: Engine.available)
    func batches(_ engine: Engine) async throws {
        try await engine.withDatabase { databases in
            let database = databases[0]
            try await fillWithoutFacts(database)
            // More than one batch, and rows of both kinds in each.
            let numbers = 10..<1_110 as Range<UInt64>
            let rows = numbers.map { number in
                let place = (number - 10) * 5
                return "($\(place + 1), $\(place + 2), $\(place + 3), 0, $\(place + 4), $\(place + 5), 'other', 5, 5)"
            }
            try await database.execute(
                """
                INSERT INTO files (id, container_id, path, depth, type, revision_id, kind, created_at, modified_at)
                VALUES \(rows.joined(separator: ", "))
                """,
                numbers.flatMap { number -> [SQLValue] in
                    let isFile = number.isMultiple(of: 3)
                    return [
                        .bytes(FileID(high: 5, low: number).bytes), .bytes(container.bytes),
                        .bytes(Array("n\(number)".utf8)), .text(isFile ? "file" : "folder"),
                        isFile ? .bytes(RevisionID(high: 6, low: 2).bytes) : .null,
                    ]
                })
            try await database.migrator.up()
            var rounds = 0
            while try await database.store.tidy(.backfill) { rounds += 1 }
            let copied = try await copies(in: database)
            #expect(rounds == 3)
            #expect(copied == 367)
            try await database.execute("UPDATE files SET copy_of = NULL")
            let again = try await database.store.tidy(.backfill)
            let left = try await copies(in: database)
            #expect(!again)
            #expect(left == 0, "a database that was filled is not looked through again")
        }
    }

    @Test("are counted where they are not what the revision says", arguments: Engine.available)
    func miscopied(_ engine: Engine) async throws {
        try await engine.withDatabase { databases in
            let database = databases[0]
            try await fillWithoutFacts(database)
            try await database.migrator.up()
            while try await database.store.tidy(.backfill) {}
            for (wrong, right) in [
                ("size = 21", "size = 20"), ("sent_name = ''", "sent_name = NULL"), ("gen = 0", "gen = 14"),
                ("number = 1", "number = 2"), ("revised_at = 9", "revised_at = 7"),
                ("media_type = 'text/html'", "media_type = 'text/plain'"), ("blob_id = id", "blob_id = blob_id"),
            ] {
                try await database.execute("UPDATE files SET \(wrong) WHERE type = 'file'")
                let found = try await database.store.inspectContainers(after: nil, limit: 1).map(\.miscopiedFiles)
                #expect(found == [1], "\(wrong)")
                try await database.execute("UPDATE files SET \(right) WHERE type = 'file'")
            }
        }
    }
}
