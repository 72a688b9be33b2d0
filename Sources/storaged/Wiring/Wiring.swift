import Logging
import ServiceLifecycle
import StorageCore
import StorageHTTP
import StorageSQL
import StorageSQLite
import UnixSignals

/// What the commands do with the parts; how the parts fit together is in ``Assembly``.
enum Wiring {
    /// Serves until the process is told to end.
    ///
    /// - Parameters:
    ///   - logs: Where lines may be lost, to be counted.
    ///   - metrics: What was counted, to be shown.
    static func serve(
        _ configuration: StoragedConfiguration, logs: LogFiles, metrics: MetricsRegistry
    ) async throws {
        metrics.sample(
            ProcessFigures(directory: configuration.blobs.store == .memory ? nil : configuration.dataDirectory).sample)
        metrics.sample(logs.sample)
        let assembly = try await Refusal.translating { try await Assembly(configuration, metrics: metrics) }
        do {
            try await run(assembly, configuration.shutdown)
        } catch {
            await assembly.close()
            throw ListeningAddress(configuration).refusal(of: error) ?? error
        }
        await assembly.close()
    }

    /// Does `action` with the schema of the configured database, and tells which steps it has then.
    ///
    /// - Parameter confirming: Is asked before the newest step is undone; throws to leave it.
    static func migrate(
        _ action: MigrateCommand.Action, _ configuration: StoragedConfiguration,
        confirming: (MigrationStatus) throws -> Void
    ) async throws -> [MigrationStatus] {
        try await Refusal.translating {
            // The schema of a file is not changed under a daemon that serves it; on a server the migrators lock each other out.
            let locks = try await Stores.prepareDirectory(
                configuration, creating: action == .up, locking: action != .status)
            defer { for lock in locks { lock.release() } }
            let opened = try await Stores.openDatabase(configuration, creating: action == .up)
            do {
                let steps = try await migrate(action, opened.migrator, confirming)
                try await opened.database.close()
                return steps
            } catch {
                try? await opened.database.close()
                throw error
            }
        }
    }

    private static func migrate(
        _ action: MigrateCommand.Action, _ migrator: Migrator, _ confirming: (MigrationStatus) throws -> Void
    ) async throws -> [MigrationStatus] {
        switch action {
        case .up: try await migrator.up()
        case .down:
            if let last = try await migrator.status().last(where: { $0.appliedAt != nil }) {
                try confirming(last)
                try await migrator.down(to: last.number - 1)
            }
        case .status: break
        }
        return try await migrator.status()
    }

    /// Does something with the stores of the configuration, beside the daemon that serves them or without one.
    static func besideDaemon<Value>(
        _ configuration: StoragedConfiguration, _ body: (Stores) async throws -> Value
    ) async throws -> Value {
        try await Refusal.translating {
            let stores = try await Stores(beside: configuration)
            do {
                let value = try await body(stores)
                await stores.close()
                return value
            } catch {
                await stores.close()
                throw error
            }
        }
    }

    /// Does something with the database of the configuration alone, beside the daemons that serve it or without one.
    static func withMetadata<Value>(
        _ configuration: StoragedConfiguration, _ body: (any MetadataStore) async throws -> Value
    ) async throws -> Value {
        try await Refusal.translating {
            guard configuration.database.location != .memory else {
                throw StorageError(
                    .wrongStore, "A database in memory belongs to its daemon alone: no command can reach it.")
            }
            let opened = try await Stores.openDatabase(configuration, creating: false)
            do {
                try await opened.migrator.check(cure: Stores.migration)
                let value = try await body(SQLMetadataStore(opened.database))
                try await opened.database.close()
                return value
            } catch {
                try? await opened.database.close()
                throw error
            }
        }
    }

    /// Runs all services until a signal comes; then says no to load balancers, waits, lets what is in flight end, and returns.
    private static func run(_ assembly: Assembly, _ shutdown: StoragedConfiguration.Shutdown) async throws {
        let logger = Logger(label: "storaged")
        var group = ServiceGroupConfiguration(services: assembly.services, logger: logger)
        group.maximumGracefulShutdownDuration = shutdown.drain
        let services = ServiceGroup(configuration: group)
        // Before anything answers: a signal that comes at once must end the server like any other.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                guard await next(of: signals) else { return }
                logger.notice("stopping")
                assembly.readiness.stop()
                await pause(shutdown.delay)
                await services.triggerGracefulShutdown()
            }
            try await services.run()
            tasks.cancelAll()
        }
    }

    /// Waits until the process is told to end; false when the task is cancelled before.
    private static func next(of signals: UnixSignalsSequence) async -> Bool {
        for await _ in signals { return true }
        return false
    }

    /// Waits, but no longer than until the next signal: a second one means it.
    private static func pause(_ duration: Duration) async {
        await withTaskGroup(of: Void.self) { race in
            race.addTask { try? await Task.sleep(for: duration) }
            race.addTask { _ = await next(of: UnixSignalsSequence(trapping: .sigterm, .sigint)) }
            await race.next()
            race.cancelAll()
        }
    }
}
