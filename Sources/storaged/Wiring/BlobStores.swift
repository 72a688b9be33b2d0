import ServiceLifecycle
import StorageCore
import StorageS3

/// The stores of bytes that a configuration names, open.
struct BlobStores: Sendable {
    typealias Place = StoragedConfiguration.Blobs.Place

    /// Where new blobs go.
    let store: StorePlace
    /// Where older ones may still be while they are moved.
    let fallback: StorePlace?

    /// What opening a place may make.
    enum Making {
        /// Nothing: what is missing is refused.
        case nothing
        /// Folders that a store has lost, and the directory in which bodies wait for a bucket.
        case folders
        /// A store where there is none.
        case store
    }

    /// Opens them; nil where everything is in memory.
    ///
    /// The old one first: whether the new one may be made depends on it. A bucket that refuses has nothing made on disk.
    ///
    /// - Parameters:
    ///   - configuration: Names them.
    ///   - history: What the database knows, for a daemon, which makes what does not contradict it; nil for a command, which
    ///     makes nothing.
    ///   - patience: How long to try while a bucket cannot be reached.
    ///   - parts: Gets what is to be given back.
    init?(
        _ configuration: StoragedConfiguration, creatingAfter history: StoreHistory?, patience: Patience,
        _ parts: inout OpenParts
    ) async throws {
        let place: Place
        switch configuration.blobs.store {
        case .memory: return nil
        case .s3: place = .s3
        case .disk: place = .disk(directory: nil)
        }
        var old: StorePlace?
        if let place = configuration.blobs.fallback {
            let making = place == .s3 && history != nil ? Making.folders : .nothing
            old = try await Self.open(place, configuration, making: making, patience: patience, &parts)
        }
        fallback = old
        guard let history else {
            store = try await Self.open(place, configuration, making: .nothing, patience: patience, &parts)
            return
        }
        let making = history.allowsNew(inFrontOf: old) ? Making.store : .folders
        do {
            store = try await Self.open(
                place, configuration, making: making, learning: true, patience: patience, &parts)
        } catch let error as StorageError where error.code == .wrongStore && making == .folders {
            let isMissing = place == .s3 ? error.cause == nil : !Self.isStore(configuration.dataDirectory)
            guard isMissing, let id = history.current else { throw error }
            let known = " The database belongs to the store \(id)."
            throw StorageError(error.code, error.message + known, cause: error.cause)
        }
    }

    /// Opens one of them.
    ///
    /// - Parameter learning: Whether a bucket is written to, to learn what its service can do.
    static func open(
        _ place: Place, _ configuration: StoragedConfiguration, making: Making, learning: Bool = false,
        patience: Patience = .none, _ parts: inout OpenParts
    ) async throws -> StorePlace {
        switch place {
        case .s3: try await openBucket(configuration, making: making, learning: learning, patience: patience, &parts)
        case .disk(let directory):
            try await openDisk(directory, configuration, making: making, &parts)
        }
    }

    // MARK: Composition

    /// What is served, and what has to run for that: the bytes of small files in memory, in front of the new store and the old one;
    /// in front of a bucket, copies on disk, and behind those what other processes have read.
    func composed(
        _ configuration: StoragedConfiguration, _ cache: TrustedCache?, _ parts: inout OpenParts
    ) async throws -> (any BlobStore, [any Service]) {
        var (blobs, services) = (store.instrumented, [any Service]())
        // A disk of one's own is nearer than any cache.
        if let cache, configuration.blobs.store == .s3 { blobs = SharedCacheBlobStore(blobs, cache: cache) }
        if configuration.blobs.hasHotCache {
            let hot = try await Self.openHotCache(in: configuration, before: blobs)
            parts.hotCache = hot
            (blobs, services) = (hot, [hot])
        }
        if let fallback { blobs = FallbackBlobStore(new: blobs, old: fallback.instrumented) }
        let memory = Int(configuration.blobs.memoryCache)
        guard memory > 0 else { return (blobs, services) }
        let cache = CachedBlobStore(blobs, bytes: memory)
        parts.memoryCache = cache
        return (cache, services)
    }

    /// A store, in front of the one that is moved where there is one.
    func joined(_ store: any BlobStore) -> any BlobStore {
        guard let fallback else { return store }
        return FallbackBlobStore(new: store, old: fallback.store)
    }

    private static func openHotCache(
        in configuration: StoragedConfiguration, before base: any BlobStore
    ) async throws -> HotBlobStore {
        do {
            return try await HotBlobStore.open(
                base, directory: configuration.dataDirectory + "/" + hotFolder,
                capacity: configuration.blobs.hotCache, reserve: configuration.upkeep.reserve)
        } catch let error as StorageError {
            throw error.of(Keys.blobsHotCache.name, configuration)
        }
    }

    // MARK: Directories

    /// Makes the data directory of a daemon, or checks that it is there, and gives it back.
    static func findDataDirectory(_ configuration: StoragedConfiguration, creating: Bool) async throws {
        guard configuration.blobs.store == .disk else {
            return await (try openSpool(configuration, creating: creating)).shutdown()
        }
        var parts = OpenParts()
        _ = try await openDisk(nil, configuration, making: creating ? .store : .nothing, &parts)
        await parts.close()
    }

    /// - Parameter directory: nil for that of the data.
    private static func openDisk(
        _ directory: String?, _ configuration: StoragedConfiguration, making: Making, _ parts: inout OpenParts
    ) async throws -> StorePlace {
        let path = directory ?? configuration.dataDirectory
        let isStore = isStore(path)
        let creating = making == .store || making == .folders && isStore
        let setting = directory == nil ? Keys.dataDirectory.name : Keys.blobsFallback.name
        let disk: LocalDiskBlobStore
        do {
            disk = try await LocalDiskBlobStore.open(
                directory: path, configuration: settings(configuration, creating: creating))
        } catch let error as StorageError {
            throw error.of(setting, configuration, adding: making == .nothing && !isStore ? " " + Stores.unused : "")
        }
        parts.disks.append(disk)
        let name = directory.map { "the directory \($0.quotedForDisplay)" } ?? "the data directory"
        return StorePlace(store: disk, id: disk.storeID, name: name, setting: setting)
    }

    /// Opens the data directory for bodies on their way into a bucket.
    static func openSpool(
        _ configuration: StoragedConfiguration, creating: Bool
    ) async throws -> LocalDiskBlobStore {
        var settings = settings(configuration, creating: creating)
        settings.isSpool = true
        do {
            return try await LocalDiskBlobStore.open(directory: configuration.dataDirectory, configuration: settings)
        } catch let error as StorageError {
            let isThere = LocalFolder.Identity(path: configuration.dataDirectory) != nil
            throw error.of(
                Keys.dataDirectory.name, configuration, adding: creating || isThere ? "" : " " + Stores.unused)
        }
    }

    private static func settings(
        _ configuration: StoragedConfiguration, creating: Bool
    ) -> LocalDiskBlobStore.Configuration {
        var settings = LocalDiskBlobStore.Configuration()
        settings.reserve = configuration.upkeep.reserve
        settings.createsStore = creating
        // What a daemon has there whose files lie in a bucket.
        settings.neighbours += ["staging", hotFolder]
        return settings
    }

    private static func isStore(_ path: String) -> Bool {
        LocalFolder.Identity(path: path + "/store.id") != nil
    }

    static let hotFolder = "hot"

    // MARK: Bucket

    private static func openBucket(
        _ configuration: StoragedConfiguration, making: Making, learning: Bool, patience: Patience,
        _ parts: inout OpenParts
    ) async throws -> StorePlace {
        guard let s3 = configuration.s3 else {
            throw StorageError(.wrongStore, "No \(Keys.s3Bucket.name) is given.")
        }
        var settings = S3Configuration(s3)
        settings.createsStore = making == .store
        settings.writesProbe = learning
        let observer = BucketObserver()
        let bucket = try await patience.wait(for: "the bucket") {
            if patience.isPatient { try await reach(settings, configuration) }
            var spool: Result<LocalDiskBlobStore, any Error>?
            do {
                return try await S3BlobStore.open(settings, observer: observer) {
                    do {
                        let opened = try await openSpool(configuration, creating: making != .nothing)
                        parts.disks.append(opened)
                        return opened
                    } catch {
                        spool = .failure(error)
                        throw error
                    }
                }
            } catch let error as StorageError {
                try _ = spool?.get()
                throw error.ofBucket(configuration)
            }
        }
        observer.begin()
        return StorePlace(store: bucket, id: bucket.storeID, name: "the bucket", setting: Keys.s3Bucket.name)
    }

    /// Finds out quickly whether the service answers: a call that is repeated would outlast the patience of whoever waits for it.
    ///
    /// - Throws: Only what may pass. What the service refuses for good is told by whoever opens the store.
    private static func reach(_ settings: S3Configuration, _ configuration: StoragedConfiguration) async throws {
        var settings = settings
        settings.createsStore = false
        settings.writesProbe = false
        settings.retryPolicy = .once
        do {
            _ = try await S3BlobStore.open(settings, observer: BucketObserver()) { throw CancellationError() }
        } catch let error as StorageError where error.isTransient {
            throw error.ofBucket(configuration)
        } catch {
            // It has answered; or this task is cancelled, as whoever asks next will find.
        }
    }
}

extension S3Configuration {
    /// As the configuration says.
    init(_ s3: StoragedConfiguration.S3) {
        let text = { (secret: SecretText) in String(decoding: secret.bytes, as: UTF8.self) }
        self.init(
            endpoint: s3.endpoint, region: s3.region, bucket: s3.bucket, prefix: s3.prefix,
            credentials: S3Credentials(
                accessKey: text(s3.accessKey), secretKey: text(s3.secretKey), sessionToken: s3.sessionToken.map(text)))
        usesPathStyle = s3.isPathStyle
    }
}

extension StorageError {
    /// The same failure, with the setting of the bucket that somebody has to look at.
    fileprivate func ofBucket(_ configuration: StoragedConfiguration) -> StorageError {
        guard let field = S3Configuration.Problem.Field(refusedBy: self) else { return self }
        return of("s3.\(field.rawValue)", configuration)
    }
}
