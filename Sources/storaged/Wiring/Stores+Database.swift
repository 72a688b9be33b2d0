import StorageCore
import StoragePostgres
import StorageSQL

extension Stores {
    /// Opens the database of the configuration, unless its metadata were moved elsewhere or are not all there yet.
    ///
    /// - Parameters:
    ///   - configuration: Names it.
    ///   - creating: Whether a file that is not there is made.
    ///   - patience: How long to try while a server cannot be reached.
    /// - Throws: The failure of the last attempt, with the setting that names the database.
    static func openDatabase(
        _ configuration: StoragedConfiguration, creating: Bool = true, patience: Patience = .none
    ) async throws -> MetadataDatabase {
        let location = configuration.database.location
        let pool = PostgresPool.Options(configuration.database.pool)
        return try await patience.wait(for: "the database") {
            do {
                return try await openUsable(location, creating, pool)
            } catch let error as StorageError where error.isTransient || error.code == .wrongStore {
                let cure = creating || isThere(location) ? "" : " " + unused
                throw error.of(Keys.databaseURL.name, configuration, adding: cure)
            }
        }
    }

    private static func openUsable(
        _ location: StoragedConfiguration.Database.Location, _ creating: Bool, _ pool: PostgresPool.Options
    ) async throws -> MetadataDatabase {
        let opened = try await MetadataDatabase.open(location, creating: creating, pool: pool)
        do {
            try await opened.checkUsable()
            return opened
        } catch {
            try? await opened.database.close()
            throw error
        }
    }

    static func isThere(_ location: StoragedConfiguration.Database.Location) -> Bool {
        guard case .sqlite(let path) = location else { return true }
        return LocalFolder.Identity(path: path) != nil
    }
}
