/// A table that belongs to the metadata: its name, its columns and its primary key.
///
/// The one list of them, in an order in which every table comes after those that it refers to. The journal of the migrations is
/// not among them: each database has its own.
package struct StoredTable: Sendable {
    /// The name in the schema.
    package let name: String
    /// All columns, in the order of the schema.
    package let columns: [String]
    /// The columns of the primary key, in its order; `id` alone in most tables.
    package let key: [String]
    /// The rows that belong to the metadata; nil for all.
    let condition: String?

    private init(_ name: String, key: [String] = ["id"], _ columns: String, where condition: String? = nil) {
        self.name = name
        self.key = key
        self.columns = columns.split(separator: " ").map(String.init)
        self.condition = condition
    }

    /// Every table of the newest schema.
    package static let all: [StoredTable] = [
        StoredTable("accounts", "id kind login email password_phc role serial disabled_at created_at"),
        StoredTable(
            "credentials",
            "id digest account_id kind label created_at last_used_at expires_at idle_until revoked_at"),
        StoredTable(
            "containers",
            """
            id account_id space limit_bytes limit_files used_bytes used_files revision_bytes reserved_bytes closed_at
            """),
        StoredTable("usage_deltas", "id container_id bytes files revision_bytes"),
        StoredTable("blobs", "id space hash gen size state claimed_until released_at state_at verified_at"),
        StoredTable(
            "files",
            """
            id container_id path depth type revision_id kind created_at modified_at \
            copy_of number size media_type sent_name revised_at blob_id space hash gen
            """),
        StoredTable(
            "revisions",
            "id file_id container_id number blob_id size media_type sent_name created_at superseded_at"),
        StoredTable(
            "links", key: ["kind", "key", "container_id"], "kind key container_id revision_id created_at"),
        StoredTable(
            "uploads",
            """
            id container_id reserved blob_id file_id created node started_at heartbeat_at abandoned_at committed_at
            """),
        StoredTable("settings", key: ["key"], "key value", where: "key <> '\(DatabaseState.key)'"),
        StoredTable("audit", "id at account_id act subject address"),
    ]

    /// How many rows are read or written at once: few enough for memory and for the parameters of one statement.
    static let page = 500

    /// The part of a row that is the primary key.
    func key(of row: SQLRow) -> [SQLValue] {
        zip(columns, row.values).filter { key.contains($0.0) }.map(\.1)
    }

    /// One page in the order of the primary key, from behind the given one; less than ``page`` rows are the last.
    func rows(after last: [SQLValue]?, in session: any SQLSession) throws -> [SQLRow] {
        let names = key.joined(separator: ", ")
        let behind = last.map { "(\(names)) > (\(Self.places(1...$0.count)))" }
        let conditions = [condition, behind].compactMap(\.self)
        let filter = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        return try session.query(
            "SELECT \(columns.joined(separator: ", ")) FROM \(name)\(filter) ORDER BY \(names) LIMIT \(Self.page)",
            last ?? [])
    }

    /// Adds rows that have a value for every column; at least one.
    func insert(_ rows: [SQLRow], in session: any SQLSession) throws {
        let width = columns.count
        let tuples = rows.indices.map { "(\(Self.places($0 * width + 1...($0 + 1) * width)))" }
        try session.execute(
            "INSERT INTO \(name) (\(columns.joined(separator: ", "))) VALUES \(tuples.joined(separator: ", "))",
            rows.flatMap(\.values))
    }

    /// Deletes one page of rows; whether there may be more.
    func deletePage(in session: any SQLSession) throws -> Bool {
        let names = key.joined(separator: ", ")
        let filter = condition.map { " WHERE \($0)" } ?? ""
        let deleted = try session.execute(
            "DELETE FROM \(name) WHERE (\(names)) IN (SELECT \(names) FROM \(name)\(filter) LIMIT \(Self.page))", [])
        return deleted == Self.page
    }

    /// How many rows there are; reads them all.
    func count(in session: any SQLSession) throws -> Int {
        let filter = condition.map { " WHERE \($0)" } ?? ""
        return Int(try session.first("SELECT COUNT(*) FROM \(name)\(filter)", [])?.integer(0) ?? 0)
    }

    func isEmpty(in session: any SQLSession) throws -> Bool {
        let filter = condition.map { " WHERE \($0)" } ?? ""
        return try !session.exists("SELECT 1 FROM \(name)\(filter) LIMIT 1", [])
    }

    private static func places(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { "$\($0)" }.joined(separator: ", ")
    }
}
