import StorageMigrations
import StorageSQL
import StorageSQLite
import Testing

/// The schema as it is released, on a database with data in every table.
@Suite struct SchemaTests {
    @Test func everyStepGoesUpDownAndUpAgainOnRealData() async throws {
        try await withTemporaryDirectory { directory in
            let database = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
            let migrator = try Migrator(database: database, migrations: Migration.sqlite)
            for number in 1...Migration.sqlite.count {
                let before = try await schema(of: database)
                try await migrator.up(to: number)
                let first = try await schema(of: database)
                if number < 3 { try await fill(database) }
                let undone = try await migrator.down(to: number - 1)
                let down = try await schema(of: database)
                let redone = try await migrator.up(to: number)
                let second = try await schema(of: database)
                #expect(undone == [number])
                #expect(redone == [number])
                #expect(down == before || number == 1 && down.allSatisfy { $0.contains("migrations") })
                #expect(first == second)
                #expect(first != down)
            }
            try await migrator.check()
            try await database.close()
        }
    }

    @Test func everyTableTakesARowAndNothingIsLeftDangling() async throws {
        let database = try SQLiteDatabase.inMemory()
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        try await fill(database)
        let counts = try await database.read { session in
            try session.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", []).map { row in
                let table = try row.text(0)
                return (table, try session.query("SELECT 1 FROM \(table)", []).count)
            }
        }
        let (dangling, integrity) = try await database.write(.durable) { session in
            (
                try session.query("PRAGMA foreign_key_check", []).count,
                try session.query("PRAGMA integrity_check", []).map { try $0.text(0) }
            )
        }
        #expect(counts.count == 12)
        for (table, count) in counts { #expect(count > 0, "\(table) has no row") }
        #expect(dangling == 0)
        #expect(integrity == ["ok"])
    }

    /// Deleting or replacing a referenced row looks for those that refer to it: without an index that reads the whole table.
    @Test func everyForeignKeyHasAnIndexThatBeginsWithIt() async throws {
        let database = try SQLiteDatabase.inMemory()
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        let uncovered = try await database.read { session in
            let keys = try session.query(
                """
                SELECT m.name, k."from" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k
                WHERE m.type = 'table' ORDER BY m.name, k."from"
                """, [])
            return try keys.compactMap { key -> String? in
                let (table, column) = (try key.text(0), try key.text(1))
                let isCovered = try session.exists(
                    """
                    SELECT 1 FROM pragma_index_list($1) l JOIN pragma_index_info(l.name) i
                    WHERE i.seqno = 0 AND i.name = $2 AND l.partial = 0
                    """, [.text(table), .text(column)])
                return isCovered ? nil : "\(table).\(column)"
            }
        }
        #expect(uncovered == [])
    }

    /// Else SQLite keeps whatever it is given, and a text is never equal to the same bytes.
    @Test func everyTableRefusesValuesOfAnotherType() async throws {
        let database = try SQLiteDatabase.inMemory()
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        let lax = try await database.read { session in
            try session.query(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
                []
            ).map { try $0.text(0) }
        }
        #expect(lax == ["migrations"])
    }

    private func schema(of database: SQLiteDatabase) async throws -> [String] {
        try await database.read { session in
            try session.query(
                "SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_master ORDER BY type, name", []
            )
            .map { row in try (0..<4).map { try row.text($0) }.joined(separator: "|") }
        }
    }

    /// One row at least in every table, with references where there can be some.
    private func fill(_ database: SQLiteDatabase) async throws {
        try await database.write(.durable) { session in
            try session.script(
                """
                INSERT INTO accounts (id, kind, login, email, password_phc, role, serial, created_at)
                    VALUES (x'01', 'registered', x'616c696365', 'alice@example.org', '$scrypt$x', 'user', 1, 5);
                INSERT INTO accounts (id, kind, role, serial, created_at) VALUES (x'02', 'token', 'user', 2, 6);
                INSERT INTO credentials (id, digest, account_id, kind, created_at, expires_at, idle_until)
                    VALUES (x'11', x'aa', x'01', 'session', 5, 100, 50), (x'12', x'bb', x'02', 'container', 6, NULL, NULL);
                INSERT INTO containers (id, account_id, space) VALUES (x'21', x'01', x'00'), (x'22', x'02', x'22');
                INSERT INTO usage_deltas (id, container_id, bytes, files, revision_bytes) VALUES (x'31', x'21', 10, 1, 0);
                INSERT INTO blobs (id, space, hash, gen, size, state, state_at)
                    VALUES (x'41', x'00', x'cc', 0, 10, 'live', 5), (x'42', x'00', x'dd', 0, 0, 'pending', 5);
                INSERT INTO blobs (id, space, hash, gen, size, state, state_at) VALUES (x'43', x'00', x'cc', 7, 10, 'gone', 5);
                INSERT INTO files (id, container_id, path, depth, type, kind, created_at, modified_at)
                    VALUES (x'51', x'21', x'66', 1, 'folder', 'other', 5, 5);
                INSERT INTO files (id, container_id, path, depth, type, revision_id, kind, created_at, modified_at)
                    VALUES (x'52', x'21', x'662f67', 2, 'file', x'61', 'text', 5, 5);
                INSERT INTO revisions (id, file_id, container_id, number, blob_id, size, media_type, created_at)
                    VALUES (x'61', x'52', x'21', 1, x'41', 10, 'text/plain', 5);
                INSERT INTO links (kind, key, container_id, revision_id, created_at)
                    VALUES ('hash', x'cc', x'21', x'61', 5), ('uid', x'99', x'21', x'61', 5);
                INSERT INTO uploads (id, container_id, started_at, heartbeat_at, committed_at)
                    VALUES (x'71', x'21', 5, 5, NULL), (x'72', x'21', 5, 5, 6);
                INSERT INTO settings (key, value) VALUES ('store.id', 'x');
                INSERT INTO audit (id, at, account_id, act) VALUES (x'81', 5, x'01', 'login');
                """)
        }
    }
}
