import HTTPTypes
import StorageCore

/// Whether the server is alive and can serve, and what it has counted.
let operationRoutes = [
    Route(.get, "/healthz") { _ in .json { $0.status("ok") } },
    Route(.get, "/readyz") { call in
        if call.services.readiness.isStopping { return .notReady("stopping") }
        let (database, store) = await call.services.probe()
        guard database != nil else { return .notReady("database") }
        guard store != nil else { return .notReady("storage") }
        return .json { $0.status("ready") }
    },
    Route(.get, "/api/v1/files/ping") { call in
        async let cache = call.services.probeCache()
        let (database, store) = await call.services.probe()
        let trip = await cache
        return .json(database == nil || store == nil ? .serviceUnavailable : .ok) { json in
            json.name("db")
            database.map { json.number($0) } ?? json.null()
            json.name("storage")
            store.map { json.number($0) } ?? json.null()
            // Nobody depends on it: without it all is as well as before.
            if let trip {
                json.name("cache")
                trip.map { json.number($0) } ?? json.null()
            }
        }
    },
    Route(.get, "/metrics") { call in
        guard let exposed = call.services.exposed else { throw Problem.noRoute }
        return try await exposed.answer()
    },
]

extension Call.Services {
    /// Whether a client is told that a path is there, by any method: that of the figures is for direct clients on this machine alone.
    func shows(_ resource: RouteTable.Resource, to peer: Peer) -> Bool {
        resource.path != "/metrics" || exposed != nil && peer.isDirectLoopback
    }
}

extension JSONWriter {
    fileprivate mutating func status(_ status: String) {
        name("status")
        string(status)
    }
}

extension Answer {
    fileprivate static func notReady(_ what: String) -> Answer {
        .json(.serviceUnavailable, headers: [.retryAfter: "1"]) { $0.status(what) }
    }
}

extension Call.Services {
    /// One round trip to each service behind, in milliseconds; nil for one that fails.
    fileprivate func probe() async -> (database: Double?, store: Double?) {
        async let database = Self.milliseconds { try await storage.metadata.ping() }
        async let store = Self.milliseconds { try await storage.blobs.ping() }
        return await (database, store)
    }

    /// The same to the shared cache; nil where there is none, a nil inside for one that fails.
    fileprivate func probeCache() async -> Double?? {
        guard let cache else { return nil }
        return .some(await Self.milliseconds { try await cache.ping() })
    }

    private static func milliseconds(_ body: @Sendable () async throws -> Void) async -> Double? {
        let start = ContinuousClock.now
        guard (try? await body()) != nil else { return nil }
        let (seconds, attoseconds) = start.duration(to: .now).components
        // Two decimals: hundredths of a millisecond are what the clock of such a call is good for.
        return (Double(seconds) * 100_000 + Double(attoseconds / 10_000_000_000_000)).rounded() / 100
    }
}
