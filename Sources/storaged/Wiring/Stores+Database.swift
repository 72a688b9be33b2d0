import Logging
import StorageCore
import StoragePostgres
import StorageSQL

extension Stores {
    /// Opens the database of the configuration, unless its metadata were moved elsewhere or are not all there yet.
    ///
    /// - Parameters:
    ///   - configuration: Names it.
    ///   - creating: Whether a file that is not there is made.
    ///   - patience: How long to try while a server cannot be reached; the log says once that this waits.
    /// - Throws: The failure of the last attempt, with the setting that names the database.
    static func openDatabase(
        _ configuration: StoragedConfiguration, creating: Bool = true, patience: Duration = .zero
    ) async throws -> MetadataDatabase {
        let location = configuration.database.location
        let pool = PostgresPool.Options(configuration.database.pool)
        let end = ContinuousClock.now + patience
        var isWaiting = false
        while true {
            do {
                return try await openUsable(location, creating, pool)
            } catch let error as StorageError where error.isTransient || error.code == .wrongStore {
                let cure = creating || isThere(location) ? "" : " " + unused
                let failure = error.of(Keys.databaseURL.name, configuration, adding: cure)
                guard error.isTransient, ContinuousClock.now + pause < end else { throw failure }
                if !isWaiting { logWaiting(for: failure, patience) }
                isWaiting = true
            }
            try await Task.sleep(for: pause)
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

    /// Between two attempts to reach a server.
    private static let pause = Duration.milliseconds(500)

    private static func logWaiting(for failure: StorageError, _ patience: Duration) {
        let cause = failure.cause.map { " (\($0))" } ?? ""
        Logger(label: "storaged").notice(
            "waiting up to \(patience.settingText) for the database",
            metadata: ["reason": "\(failure.message)\(cause)"])
    }

    private static func isThere(_ location: StoragedConfiguration.Database.Location) -> Bool {
        guard case .sqlite(let path) = location else { return true }
        return LocalFolder.Identity(path: path) != nil
    }
}
