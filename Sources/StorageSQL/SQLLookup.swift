/// A query by key that can be asked for several keys at once: a database that is far away, or plans each query anew, has less to do.
package struct SQLLookup: Sendable {
    /// The query for one key.
    package let single: String
    /// How many parameters a key has.
    package let width: Int
    private let columns: String
    private let source: @Sendable (String) -> String

    /// The query for so many keys, one behind the other: its rows have the place of their key, from 0, before the columns of
    /// ``single``. A key of nulls has no row.
    package func several(_ count: Int) -> String {
        let rows = (0..<count).map { place in
            (1...width).reduce("(\(place)") { "\($0), CAST($\(place * width + $1) AS BYTEA)" } + ")"
        }
        return "SELECT q.place, \(columns) FROM \(source("(VALUES \(rows.joined(separator: ", ")))"))"
    }

    /// The file or folder at a path of a container.
    package static let fileByPath = SQLLookup(
        single: "\(StoredFile.selection(.copy)) WHERE f.container_id = $1 AND f.path = $2", width: 2,
        columns: StoredFile.columns
    ) { keys in
        """
        \(keys) AS q (place, container_id, path) \
        JOIN files f ON f.container_id = q.container_id AND f.path = q.path \(StoredFile.joins)
        """
    }
}
