import HTTPTypes
import StorageCore

/// Whether the server is alive and can serve.
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
        let (database, store) = await call.services.probe()
        return .json(database == nil || store == nil ? .serviceUnavailable : .ok) { json in
            json.name("db")
            database.map { json.number($0) } ?? json.null()
            json.name("storage")
            store.map { json.number($0) } ?? json.null()
        }
    },
]

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

    private static func milliseconds(_ body: @Sendable () async throws -> Void) async -> Double? {
        let start = ContinuousClock.now
        guard (try? await body()) != nil else { return nil }
        let (seconds, attoseconds) = start.duration(to: .now).components
        // Two decimals: hundredths of a millisecond are what the clock of such a call is good for.
        return (Double(seconds) * 100_000 + Double(attoseconds / 10_000_000_000_000)).rounded() / 100
    }
}
