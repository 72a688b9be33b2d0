import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore

/// The users of the hash dialect, by small numbers: everybody may register, administrators see who did.
let userRoutes = [
    Route(.post, "/api/users") { call in
        let fields = try await FormFields(call)
        let email = try fields.required("email", or: "login")
        let password = try fields.required("password")
        let account = try await renaming("login", to: "email") {
            try await call.accounts.register(
                login: email, password: password, email: String(validating: email, as: UTF8.self),
                as: try await call.registrar())
        }
        return .json(.created, headers: [.location: call.location("/api/users/\(account.serial)")]) { $0.user(account) }
    },
    Route(.get, "/api/users") { call in
        try await call.requireAdmin()
        return try await UserList(call).answer()
    },
    Route(.get, "/api/users/{id}") { call in
        try await call.requireAdmin()
        guard let serial = DecimalNumber.parse(Array(call.parameter)), serial > 0,
            let account = try await call.storage.metadata.accounts(after: serial - 1, limit: 1).first,
            account.serial == serial, account.kind == .registered
        else { throw StorageError(.notFound, "There is no such user.") }
        return .json(headers: UserList.headers) { json in
            json.user(account)
            json.name("role")
            json.string(account.role.rawValue)
            json.name("created_at")
            json.time(microseconds: account.createdAt.microseconds)
        }
    },
]

extension Call {
    fileprivate func requireAdmin() async throws {
        guard try await principal().account?.role == .admin else {
            throw StorageError(.forbidden, "Only administrators see the users.")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func user(_ account: Account) {
        name("id")
        integer(account.serial)
        name("email")
        string(account.login?.description ?? "")
    }
}

/// All registered users as an array, or a page of them; containers and the built-in account are no users.
private struct UserList: Sendable {
    static let headers: HTTPFields = [.vary: "Authorization, X-Auth-Token"]
    private static let batch = 1_000

    private let call: Call

    init(_ call: Call) {
        self.call = call
    }

    func answer() async throws -> Answer {
        let after = try cursor()
        guard let limit = try call.pageLimit() else {
            var headers = Self.headers
            headers[.contentType] = "application/json"
            return Answer(
                .ok, headers: headers,
                content: .written(length: nil) { writer in
                    var json = JSONWriter()
                    json.beginArray()
                    var last = after
                    while true {
                        let accounts = try await call.storage.metadata.accounts(after: last, limit: Self.batch)
                        for account in accounts where account.kind == .registered { json.object { $0.user(account) } }
                        guard accounts.count == Self.batch, let serial = accounts.last?.serial else { break }
                        last = serial
                        if json.byteCount > 0 { try await writer.write(json.take()) }
                    }
                    json.endArray()
                    try await writer.write(json.take())
                })
        }
        let users = try await users(after: after, limit: limit + 1)
        var json = JSONWriter()
        json.array { json in
            for user in users.prefix(limit) { json.object { $0.user(user) } }
        }
        var answer = Answer.json(.ok, headers: Self.headers, json)
        if users.count > limit { answer.headers[.link] = call.link(toPageAt: String(users[limit - 1].serial)) }
        return answer
    }

    /// At most `limit` users, whatever other accounts are between them.
    private func users(after serial: Int64, limit: Int) async throws -> [Account] {
        var (users, last): ([Account], Int64) = ([], serial)
        while users.count < limit {
            let accounts = try await call.storage.metadata.accounts(after: last, limit: Self.batch)
            users += accounts.filter { $0.kind == .registered }
            guard accounts.count == Self.batch, let serial = accounts.last?.serial else { break }
            last = serial
        }
        return Array(users.prefix(limit))
    }

    private func cursor() throws -> Int64 {
        guard let value = try call.query.value("cursor") else { return 0 }
        guard let serial = DecimalNumber.parse(value) else { throw Problem.invalidCursor }
        return serial
    }
}
