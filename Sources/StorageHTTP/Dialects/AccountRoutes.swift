import HTTPTypes
import StorageCore

extension Call {
    /// Who registers somebody else; where everybody may register, credentials are not looked at.
    func registrar() async throws -> Principal? {
        accounts.policy.registration == .admin ? try await principalIfAny() : nil
    }
}

/// Registering and signing in, of the accounts-and-paths dialect.
let accountRoutes = [
    Route(.post, "/api/v1/user/register") { call in
        let fields = try await FormFields(call)
        let login = try fields.required("login", or: "username", "email")
        let account = try await call.accounts.register(
            login: login, password: try fields.required("password"),
            email: try fields.text("email"),
            as: try await call.registrar())
        return .json(.created) { json in
            json.name("id")
            json.string(account.id.description)
            for name in ["login", "username"] as [StaticString] {
                json.name(name)
                json.string(account.login?.description ?? "")
            }
        }
    },
    Route(.post, "/api/v1/user/auth") { call in
        let fields = try await FormFields(call)
        let credential = Credential.basic(
            login: try fields.required("login", or: "username", "email"), password: try fields.required("password"))
        let client = call.peer.client
        guard let principal = try await call.services.authentication.authenticate(credential, from: client) else {
            throw StorageError.unauthenticated
        }
        let token = try await call.accounts.issueToken(to: principal)
        return .json { json in
            for name in ["token", "access_token"] as [StaticString] {
                json.name(name)
                json.string(token.text)
            }
            json.name("token_type")
            json.string("bearer")
            json.name("expires_in")
            json.integer(token.lifetime)
        }
    },
    Route(.post, "/api/v1/user/logout") { call in
        try await call.accounts.endToken(of: try await call.principal())
        return Answer(.noContent)
    },
    Route(.post, "/api/v1/user/password") { call in
        let principal = try await call.principal()
        let fields = try await FormFields(call)
        let (old, new) = (try fields.required("password"), try fields.required("new_password"))
        try await renaming("password", to: "new_password") {
            try await call.accounts.changePassword(of: principal, from: old, to: new)
        }
        return Answer(.noContent)
    },
    Route(.delete, "/api/v1/user") { call in
        let principal = try await call.principal()
        let fields = try await FormFields(call)
        try await call.accounts.delete(principal, password: try fields.required("password"))
        return Answer(.noContent)
    },
]
