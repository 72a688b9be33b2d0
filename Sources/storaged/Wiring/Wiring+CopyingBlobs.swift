import StorageCore
import StorageSQL
import StorageSQLite

/// Moving bytes from one store into another.
extension Wiring {
    /// Copies every blob, and has the database remember when all have arrived.
    ///
    /// - Throws: ``Refusal`` for stores that cannot be used or do not belong to the database, ``Interruption`` for a signal.
    static func copyBlobs(
        _ configuration: StoragedConfiguration, from source: BlobStores.Place, to target: BlobStores.Place,
        _ display: BlobCopyDisplay
    ) async throws -> BlobCopy.Progress {
        try configuration.checkMove(from: source, to: target)
        return try await Refusal.translating {
            var parts = OpenParts()
            do {
                let progress = try await copyBlobs(configuration, from: source, to: target, &parts, display)
                await parts.close()
                return progress
            } catch {
                await parts.close()
                throw error
            }
        }
    }

    private static func copyBlobs(
        _ configuration: StoragedConfiguration, from source: BlobStores.Place, to target: BlobStores.Place,
        _ parts: inout OpenParts, _ display: BlobCopyDisplay
    ) async throws -> BlobCopy.Progress {
        let from = try await BlobStores.open(source, configuration, making: .nothing, &parts)
        let opened = try await Stores.openDatabase(configuration, creating: false)
        parts.database = opened
        try await opened.migrator.check(cure: Stores.migration)
        let metadata = SQLMetadataStore(opened.database)

        let to: StorePlace
        let history: StoreHistory
        if try await StoreHistory(of: metadata).current == from.id {
            guard !configuration.database.location.isShared else {
                throw StorageError(.wrongStore, "The blobs are not being moved yet.\(moveCure)")
            }
            to = try await BlobStores.open(target, configuration, making: .store, &parts)
            let locks = try lockForMove(configuration)
            defer { for lock in locks { lock.release() } }
            history = try await to.confirm(inFrontOf: from, belongsTo: metadata)
        } else {
            to = try await BlobStores.open(target, configuration, making: .nothing, &parts)
            history = try await to.check(inFrontOf: from, belongsTo: metadata)
        }
        var copy = BlobCopy(metadata: metadata, from: from.store, to: to.store)
        // Time for a forgotten daemon to learn that it may not write to the old store any more.
        if configuration.database.location.isShared { copy.lastPassAfter = StoreWatch.limit }
        let progress = try await run(copy, display)
        if progress.failed == 0 { try await settle(history, in: metadata) }
        return progress
    }

    /// Has the database remember that a move is complete: the one that was copied for, and no other that began meanwhile.
    private static func settle(_ history: StoreHistory, in metadata: some MetadataStore) async throws {
        guard try await history.isLatest(in: metadata) else {
            throw StorageError(
                .wrongStore,
                "Blobs go to another store by now: daemons were started with other \(Keys.blobsStore.name) and"
                    + " \(Keys.blobsFallback.name) while they were copied, and both stores stay needed.")
        }
        try await history.settle(in: metadata)
    }

    private static func run(_ copy: BlobCopy, _ display: BlobCopyDisplay) async throws -> BlobCopy.Progress {
        try await Interruption.watching {
            if display.isBarWanted { display.begin(try await copy.measure()) }
            return try await copy.run {
                display.show($0)
            } onFailure: {
                display.show($0)
            }
        }
    }

    /// The right to begin a move without a daemon: none may go on with the old store alone.
    private static func lockForMove(_ configuration: StoragedConfiguration) throws -> [DataDirectoryLock] {
        do {
            return try Stores.lock(configuration)
        } catch let error as StorageError {
            throw StorageError(error.code, error.message + moveCure, isTransient: error.isTransient, cause: error.cause)
        }
    }

    private static let moveCure =
        " Daemons may still write to the old store: start them with these \(Keys.blobsStore.name) and"
        + " \(Keys.blobsFallback.name), and call this again."
}

extension StoragedConfiguration {
    /// Refuses a move that daemons with this configuration would know nothing of.
    fileprivate func checkMove(from source: BlobStores.Place, to target: BlobStores.Place) throws(CommandFailure) {
        let isTarget =
            switch blobs.store {
            case .s3: target == .s3
            case .disk: isDataDirectory(target)
            case .memory: false
            }
        let isSource = blobs.fallback.map { $0 == source || isDataDirectory($0) && isDataDirectory(source) } ?? false
        guard isTarget, isSource else {
            let (flag, key) = isTarget ? ("--from", Keys.blobsFallback.name) : ("--to", Keys.blobsStore.name)
            let value = provenance.value(named: key).map { $0.key.shown($0.text).quotedForDisplay } ?? ""
            throw CommandFailure(
                description:
                    "\(flag): \(key) is \(value); while bytes are moved, \(Keys.blobsStore.name) names the new store"
                    + " and \(Keys.blobsFallback.name) the old one, for daemons and for this command",
                exitStatus: .configuration)
        }
    }

    private func isDataDirectory(_ place: BlobStores.Place) -> Bool {
        place == .disk(directory: nil) || place == .disk(directory: dataDirectory)
    }
}
