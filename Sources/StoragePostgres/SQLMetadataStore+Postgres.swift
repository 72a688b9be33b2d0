import StorageMigrations
public import StorageSQL

extension SQLMetadataStore {
    /// A metadata store in a PostgreSQL database, which is brought to the newest schema.
    ///
    /// Any number of processes may open the same database; the blob store beside it must be one that they share.
    ///
    /// - Parameter url: as libpq reads it: `postgres://user:password@host:port/database?option=value`.
    /// - Throws: ``/StorageCore/StorageError/Code/wrongStore`` for a database that cannot be used as it is, and
    ///   ``/StorageCore/StorageError/Code/unavailable`` for one that cannot be reached.
    public static func postgres(url: String) async throws -> SQLMetadataStore {
        let database = try await PostgresDatabase.open(url: url)
        do {
            try await Migrator(database: database, migrations: Migration.postgres).up()
        } catch {
            try? await database.close()
            throw error
        }
        return SQLMetadataStore(database)
    }
}
