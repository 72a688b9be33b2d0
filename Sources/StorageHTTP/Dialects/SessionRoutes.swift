import HTTPTypes
import StorageCore

/// The sign-ins of an account, of the accounts-and-paths dialect: never their tokens.
let sessionRoutes = [
    Route(.get, "/api/v1/user/sessions") { call in
        let principal = try await call.principal()
        var sessions: [StoredCredential] = []
        var page: Page<StoredCredential>
        repeat {
            page = try await call.accounts.sessions(of: principal, after: sessions.last?.id, limit: 1_000)
            sessions += page.entries
        } while page.hasMore && sessions.count < maximumSessions
        return .json { json in
            json.name("sessions")
            json.beginArray()
            for session in sessions { session.write(to: &json, isCurrent: session.id == principal.credential) }
            json.endArray()
        }
    },
    Route(.delete, "/api/v1/user/sessions/{id}") { call in
        let principal = try await call.principal()
        guard let id = CredentialID(text: call.parameter) else {
            throw StorageError(.notFound, "There is no such session.")
        }
        try await call.accounts.endSession(id, of: principal)
        return Answer(.noContent)
    },
]

/// More than anybody looks at; ended ones are not among them.
private let maximumSessions = 10_000

extension StoredCredential {
    fileprivate func write(to json: inout JSONWriter, isCurrent: Bool) {
        json.object { json in
            json.name("id")
            json.string(id.description)
            json.name("label")
            label.map { json.string($0) } ?? json.null()
            for (name, time) in [
                ("created_at", createdAt), ("last_used_at", lastUsedAt), ("expires_at", expiresAt),
            ] as [(StaticString, Timestamp?)] {
                json.name(name)
                time.map { json.time(microseconds: $0.microseconds) } ?? json.null()
            }
            json.name("is_current")
            json.bool(isCurrent)
        }
    }
}
