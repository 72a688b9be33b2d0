import StorageMigrations
public import StorageSQL

extension SQLMetadataStore {
    /// A metadata store in a SQLite file, which is made when it is missing and brought to the newest schema.
    ///
    /// Any number of processes may open the same file; a blob store beside it must be the one that belongs to it.
    ///
    /// - Throws: ``/StorageCore/StorageError/Code/wrongStore`` for a file that is not a database of ours, or one from a later version.
    public static func sqlite(path: String) async throws -> SQLMetadataStore {
        let database = try SQLiteDatabase.open(path: path)
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        return SQLMetadataStore(database)
    }
}
