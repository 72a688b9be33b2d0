import StorageCore
import Testing

@Suite("AccountRegistry")
struct AccountRegistryTests {
    private static let password = Array("a long enough phrase".utf8)

    /// A registry over a store in memory, with a hasher that costs next to nothing.
    private func withRegistry(
        _ adjust: (inout AccountRegistry.Policy) -> Void = { _ in },
        _ body: (AccountRegistry, InMemoryMetadataStore, AuthProviderChain) async throws -> Void
    ) async throws {
        let metadata = InMemoryMetadataStore()
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 4, r: 8, p: 1))
        var policy = AccountRegistry.Policy()
        adjust(&policy)
        let bearer = BearerAuthProvider(metadata: metadata, idle: policy.tokenIdle)
        let registry = AccountRegistry(
            metadata: metadata, hasher: hasher, passwords: PasswordPolicy(), bearer: bearer, policy: policy)
        let providers = AuthProviderChain([
            try BasicAuthProvider(metadata: metadata, hasher: hasher), bearer,
            ContainerTokenAuthProvider(metadata: metadata),
        ])
        do {
            try await body(registry, metadata, providers)
        } catch {
            await hasher.shutdown()
            throw error
        }
        await hasher.shutdown()
    }

    private func register(_ login: String, in registry: AccountRegistry) async throws -> Account {
        try await registry.register(login: Array(login.utf8), password: Self.password, email: nil, as: nil)
    }

    @Test("registers an account that can sign in, and keeps no password")
    func registers() async throws {
        try await withRegistry { registry, metadata, providers in
            let account = try await register("Ann@example.org", in: registry)
            #expect(account.role == .user)
            #expect(account.container.space == .shared)
            let login = Credential.basic(login: Array("Ann@example.org".utf8), password: Self.password)
            let principal = try await providers.authenticate(login)
            #expect(principal?.account == account)
            let record = try await metadata.account(.id(account.id))
            #expect(record?.passwordHash?.hasPrefix("$scrypt$") == true)
            #expect(metadata.audited.map(\.act) == ["register"])
        }
    }

    @Test("gives every account a space of its own where all are isolated")
    func isolated() async throws {
        try await withRegistry {
            $0.isolation = .all
        } _: { registry, _, _ in
            let account = try await register("ann", in: registry)
            #expect(account.container.space != .shared)
        }
    }

    @Test("lets exactly one of many take a login at once")
    func oneWinner() async throws {
        try await withRegistry { registry, metadata, _ in
            let winners = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        do {
                            _ = try await self.register("ann", in: registry)
                            return 1
                        } catch {
                            #expect((error as? StorageError)?.code == .loginTaken)
                            return 0
                        }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(winners == 1)
            let accounts = try await metadata.accounts(after: 0, limit: 10)
            #expect(accounts.count == 1)
        }
    }

    @Test(
        "refuses what no account may have",
        arguments: ["", "a:b", "public", "a\u{7}", String(repeating: "x", count: 256)])
    func badLogin(login: String) async throws {
        try await withRegistry { registry, metadata, _ in
            let error = await #expect(throws: StorageError.self) { try await register(login, in: registry) }
            #expect(error?.code == .unprocessable)
            #expect(error?.message.hasPrefix("login:") == true)
            let accounts = try await metadata.accounts(after: 0, limit: 10)
            #expect(accounts.isEmpty)
        }
    }

    @Test(
        "refuses a password that is short, long or common",
        arguments: ["1234567", "password", String(repeating: "x", count: 1_025)])
    func badPassword(password: String) async throws {
        try await withRegistry { registry, _, _ in
            let error = await #expect(throws: StorageError.self) {
                try await registry.register(
                    login: Array("ann".utf8), password: Array(password.utf8), email: nil, as: nil)
            }
            #expect(error?.code == .unprocessable)
            #expect(error?.message.hasPrefix("password:") == true)
        }
    }

    @Test("lets those register whom the policy names", arguments: AccountRegistry.Policy.Registration.allCases)
    func whoMay(_ registration: AccountRegistry.Policy.Registration) async throws {
        try await withRegistry {
            $0.registration = registration
        } _: { registry, metadata, _ in
            func mayRegister(_ login: String, as principal: Principal?) async throws -> Bool {
                do {
                    _ = try await registry.register(
                        login: Array(login.utf8), password: Self.password, email: nil, as: principal)
                    return true
                } catch let error as StorageError where error.code == .forbidden {
                    return false
                }
            }
            func principal(_ login: String, _ role: Account.Role) async throws -> Principal {
                let change = AccountChange.register(
                    login: try Login(Array(login.utf8)), email: nil, passwordHash: "none", role: role, ownSpace: false)
                return Principal(identity: .account(try #require(try await metadata.change(change).account)))
            }
            let asNobody = try await mayRegister("one", as: nil)
            let asUser = try await mayRegister("two", as: try await principal("user", .user))
            let asAdmin = try await mayRegister("three", as: try await principal("root", .admin))
            #expect([asNobody, asUser] == Array(repeating: registration == .open, count: 2))
            #expect(asAdmin == (registration != .off))
        }
    }

    @Test("hands out tokens that sign in until they are ended, each by itself")
    func tokens() async throws {
        try await withRegistry {
            $0.tokenLifetime = .seconds(90)
        } _: { registry, _, providers in
            let account = try await register("ann", in: registry)
            let principal = Principal(identity: .account(account))
            let one = try await registry.issueToken(to: principal)
            let other = try await registry.issueToken(to: principal)
            #expect(one.text != other.text)
            #expect(one.lifetime == 90)
            let signedIn = try #require(try await providers.authenticate(.bearer(Array(one.text.utf8))))
            #expect(signedIn.account == account)
            try await registry.endToken(of: signedIn)
            let error = await #expect(throws: StorageError.self) {
                try await providers.authenticate(.bearer(Array(one.text.utf8)))
            }
            #expect(error?.code == .unauthenticated)
            let still = try await providers.authenticate(.bearer(Array(other.text.utf8)))
            #expect(still?.account == account)
        }
    }

    @Test("ends no token for somebody who came without one")
    func nothingToEnd() async throws {
        try await withRegistry { registry, metadata, providers in
            let account = try await register("ann", in: registry)
            let error = await #expect(throws: StorageError.self) {
                try await registry.endToken(of: Principal(identity: .account(account)))
            }
            #expect(error?.code == .unauthenticated)
        }
    }

    @Test("never ends the token of a container: its files would be out of reach for ever")
    func containerToken() async throws {
        try await withRegistry { registry, metadata, providers in
            let token = try #require(ContainerToken(.random()))
            _ = try await metadata.change(.openContainer(try token.digest, ownSpace: true))
            let principal = try #require(try await providers.authenticate(.containerToken(token)))
            await #expect(throws: StorageError.self) { try await registry.endToken(of: principal) }
            let record = try await metadata.account(.credential(try token.digest))
            #expect(record?.account == principal.account)
        }
    }

    @Test("replaces a password that is proved, and ends every token but the one that asked")
    func changesPassword() async throws {
        try await withRegistry { registry, metadata, providers in
            let account = try await register("ann", in: registry)
            let ann = Principal(identity: .account(account))
            var tokens: [String] = []
            for _ in 0..<2 { tokens.append(try await registry.issueToken(to: ann).text) }
            let asking = try #require(try await providers.authenticate(.bearer(Array(tokens[0].utf8))))
            _ = try await providers.authenticate(.bearer(Array(tokens[1].utf8)))
            let new = Array("another long phrase".utf8)
            for (old, new, code) in [
                (new, new, .forbidden), (Self.password, Array("short".utf8), .unprocessable),
                (Array(repeating: UInt8(ascii: "x"), count: 5_000), new, .forbidden),
            ] as [([UInt8], [UInt8], StorageError.Code)] {
                let error = await #expect(throws: StorageError.self) {
                    try await registry.changePassword(of: asking, from: old, to: new)
                }
                #expect(error?.code == code)
            }
            try await registry.changePassword(of: asking, from: Self.password, to: new)
            let kept = try await providers.authenticate(.bearer(Array(tokens[0].utf8)))
            #expect(kept?.account?.id == account.id)
            for credential in [
                Credential.bearer(Array(tokens[1].utf8)),
                .basic(login: Array("ann".utf8), password: Self.password),
            ] {
                let error = await #expect(throws: StorageError.self) {
                    _ = try await providers.authenticate(credential)
                }
                #expect(error?.code == .unauthenticated)
            }
            let signedIn = try await providers.authenticate(.basic(login: Array("ann".utf8), password: new))
            #expect(signedIn?.account?.id == account.id)
            #expect(metadata.audited.last?.act == "password_change")
        }
    }

    @Test("lists the sign-ins of an account, and ends one of them alone")
    func sessions() async throws {
        try await withRegistry { registry, _, providers in
            let ann = Principal(identity: .account(try await register("ann", in: registry)))
            let bob = Principal(identity: .account(try await register("bob", in: registry)))
            let tokens = [try await registry.issueToken(to: ann), try await registry.issueToken(to: ann)]
            let first = try #require(try await providers.authenticate(.bearer(Array(tokens[0].text.utf8))))
            let credential = try #require(first.credential)
            let before = try await registry.sessions(of: ann, after: nil, limit: 10).entries
            #expect(before.count == 2)
            #expect(before.contains { $0.id == credential })
            for (principal, id) in [(bob, credential), (ann, CredentialID())] {
                let error = await #expect(throws: StorageError.self) {
                    try await registry.endSession(id, of: principal)
                }
                #expect(error?.code == .notFound)
            }
            try await registry.endSession(credential, of: ann)
            await #expect(throws: StorageError.self) {
                _ = try await providers.authenticate(.bearer(Array(tokens[0].text.utf8)))
            }
            let second = try await providers.authenticate(.bearer(Array(tokens[1].text.utf8)))
            #expect(second?.account == ann.account)
            let page = try await registry.sessions(of: ann, after: nil, limit: 1)
            #expect(page.entries.count == 1)
            #expect(!page.hasMore)
        }
    }

    @Test("deletes an account with its files for whoever proves its password")
    func deletes() async throws {
        try await withRegistry { registry, metadata, providers in
            let account = try await register("ann", in: registry)
            let ann = Principal(identity: .account(account))
            let storage = FileStorage(metadata: metadata, blobs: InMemoryBlobStore())
            try await storage.put("hello", at: "a/b", as: ann)
            let token = try await registry.issueToken(to: ann)
            _ = try await providers.authenticate(.bearer(Array(token.text.utf8)))
            let wrong = await #expect(throws: StorageError.self) {
                try await registry.delete(ann, password: Array("not the password".utf8))
            }
            #expect(wrong?.code == .forbidden)
            try await registry.delete(ann, password: Self.password)
            for credential in [
                Credential.bearer(Array(token.text.utf8)), .basic(login: Array("ann".utf8), password: Self.password),
            ] {
                await #expect(throws: StorageError.self) { _ = try await providers.authenticate(credential) }
            }
            let containers = try await metadata.inspectContainers(after: nil, limit: 10)
            #expect(containers.isEmpty)
            let again = try await register("ann", in: registry)
            #expect(again.id != account.id)
        }
    }

    @Test("lets an operator add, disable, enable, limit and delete accounts, and their tokens come and go")
    func operated() async throws {
        try await withRegistry {
            $0.registration = .off
        } _: { registry, _, providers in
            let admin = try await registry.add(login: Array("root".utf8), password: Self.password, role: .admin)
            #expect(admin.role == .admin)
            let token = try await registry.issueToken(for: admin, label: "backup")
            let bearer = Credential.bearer(Array(token.text.utf8))
            _ = try await providers.authenticate(bearer)
            try await registry.setDisabled(true, of: admin)
            await #expect(throws: StorageError.self) { _ = try await providers.authenticate(bearer) }
            try await registry.setDisabled(false, of: admin)
            let principal = try #require(try await providers.authenticate(bearer))
            try await registry.setLimits(ContainerLimits(bytes: 7), of: admin)
            let limited = try await registry.account(login: Array("root".utf8))
            #expect(limited.container.limits == ContainerLimits(bytes: 7))
            let listed = try await registry.credentials(of: admin.id, after: nil, limit: 10).entries
            #expect(listed.map(\.label) == ["backup"])
            try await registry.revoke(try #require(principal.credential), of: admin)
            await #expect(throws: StorageError.self) { _ = try await providers.authenticate(bearer) }
            try await registry.setPassword(Array("a phrase of the operator".utf8), of: admin)
            try await registry.delete(admin)
            let error = await #expect(throws: StorageError.self) {
                _ = try await registry.account(login: Array("root".utf8))
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test("opens the built-in account for those without credentials, whom nobody else can be")
    func anonymous() async throws {
        try await withRegistry { registry, metadata, providers in
            let principal = try await registry.anonymous()
            let again = try await registry.anonymous()
            #expect(principal.account?.kind == .builtIn)
            #expect(again == principal)
            for password in ["", "public", "a long enough phrase"] {
                let credential = Credential.basic(login: Array("public".utf8), password: Array(password.utf8))
                let code = await refusalCode { _ = try await providers.authenticate(credential) }
                #expect(code == .unauthenticated, "\(password)")
            }
            let taken = await refusalCode { _ = try await register("public", in: registry) }
            #expect(taken == .unprocessable)
            let admin = await refusalCode {
                _ = try await registry.ensureAdmin(login: Array("public".utf8), password: Self.password)
            }
            #expect(admin == .unprocessable)

            let account = try #require(principal.account)
            _ = try await metadata.change(.setDisabled(account.id, true))
            let disabled = await refusalCode { _ = try await registry.anonymous() }
            #expect(disabled == .unauthenticated)
        }
    }

    @Test("gives the built-in account a space of its own only where all accounts have one", arguments: [true, false])
    func anonymousSpace(isIsolated: Bool) async throws {
        try await withRegistry {
            $0.isolation = isIsolated ? .all : .tokens
        } _: { registry, _, _ in
            let account = try #require(try await registry.anonymous().account)
            #expect((account.container.space == .shared) == !isIsolated)
        }
    }

    @Test("makes the administrator once, who can sign in even where registration is off")
    func ensuresAdmin() async throws {
        try await withRegistry {
            $0.registration = .off
        } _: { registry, metadata, providers in
            // The example of the original assignment has the address for a password.
            let login = Array("admin@gmail.com".utf8)
            let made = try await registry.ensureAdmin(login: login, password: login)
            #expect(made.role == .admin)
            #expect(made.login?.bytes == login)
            let again = try await registry.ensureAdmin(login: login, password: Self.password)
            #expect(again == made)
            let principal = try await providers.authenticate(.basic(login: login, password: login))
            #expect(principal?.account == made)
            let accounts = try await metadata.accounts(after: 0, limit: 10)
            #expect(accounts == [made])
        }
    }

    @Test("never makes an administrator of somebody, nor changes a password at a start")
    func keepsUser() async throws {
        try await withRegistry { registry, _, providers in
            let ann = try await register("ann", in: registry)
            let other = Array("another long phrase".utf8)
            let kept = try await registry.ensureAdmin(login: Array("ann".utf8), password: other)
            #expect(kept == ann)
            let principal = try await providers.authenticate(
                .basic(login: Array("ann".utf8), password: Self.password))
            #expect(principal?.account?.role == .user)
        }
    }

    @Test(
        "makes no administrator of an unacceptable login or password", arguments: [("", "long enough"), ("a", "short")])
    func refusesAdmin(login: String, password: String) async throws {
        try await withRegistry { registry, metadata, _ in
            let code = await refusalCode {
                _ = try await registry.ensureAdmin(login: Array(login.utf8), password: Array(password.utf8))
            }
            #expect(code == .unprocessable)
            let accounts = try await metadata.accounts(after: 0, limit: 10)
            #expect(accounts.isEmpty)
        }
    }

    @Test("of 10 servers that start at once one makes the administrator")
    func simultaneousAdmin() async throws {
        try await withRegistry { registry, metadata, _ in
            let made = try await withThrowingTaskGroup(of: AccountID.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await registry.ensureAdmin(login: Array("root".utf8), password: Self.password).id
                    }
                }
                return try await group.reduce(into: Set<AccountID>()) { $0.insert($1) }
            }
            #expect(made.count == 1)
            let accounts = try await metadata.accounts(after: 0, limit: 20)
            #expect(accounts.count == 1)
        }
    }
}
