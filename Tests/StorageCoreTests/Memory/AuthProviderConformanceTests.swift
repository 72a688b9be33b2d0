import StorageCore
import StorageTesting
import Testing

/// The kit proves itself on the plainest provider there can be: it accepts a right one and catches wrong ones.
@Suite("AuthProviderConformance")
struct AuthProviderConformanceTests {
    @Test(arguments: AuthProviderConformance.clauses)
    func holds(_ clause: AuthProviderConformance.Clause) async throws {
        try await clause.check { try await Self.candidate { PlainProvider(metadata: $0) } }
    }

    @Test("A provider that takes every failure for a refusal is caught")
    func catchesSwallowedFailures() async {
        await expectIssues { SwallowingProvider(inner: PlainProvider(metadata: $0)) }
    }

    @Test("A provider that remembers for ever is caught")
    func catchesLongMemory() async {
        await expectIssues { RememberingProvider(inner: PlainProvider(metadata: $0)) }
    }

    private func expectIssues(_ make: @Sendable (any MetadataStore) -> any AuthProvider) async {
        await withKnownIssue {
            for clause in AuthProviderConformance.clauses {
                try await clause.check { try await Self.candidate(make) }
            }
        }
    }

    private static func candidate(
        _ make: @Sendable (any MetadataStore) -> any AuthProvider
    ) async throws -> AuthProviderCandidate {
        let metadata = UnreliableMetadataStore(InMemoryMetadataStore())
        let register = AccountChange.register(
            login: try Login(Array("ann".utf8)), email: nil, passwordHash: "right", role: .user, ownSpace: false)
        let account = try #require(try await metadata.change(register).account)
        return AuthProviderCandidate(
            provider: make(metadata), metadata: metadata, account: account,
            valid: .basic(login: Array("ann".utf8), password: Array("right".utf8)),
            refused: [
                .basic(login: Array("ann".utf8), password: Array("wrong".utf8)),
                .basic(login: Array("bob".utf8), password: Array("right".utf8)),
                .basic(login: [], password: []), .basic(login: [0xFF], password: Array("right".utf8)),
            ],
            foreign: [.bearer(Array("right".utf8))],
            end: { _ = try await metadata.change(.setPassword(account.id, passwordHash: "other")) })
    }
}

/// Compares passwords as they are; for tests only.
private struct PlainProvider: AuthProvider {
    let metadata: any MetadataStore

    func authenticate(_ credential: Credential) async throws -> Principal? {
        guard case .basic(let login, let password) = credential else { return nil }
        let record =
            if let login = Login(presented: login) {
                try await metadata.account(.login(login))
            } else {
                AccountRecord?.none
            }
        guard let record, record.account.disabledAt == nil, record.passwordHash.map({ Array($0.utf8) }) == password
        else {
            throw StorageError.unauthenticated
        }
        return Principal(identity: .account(record.account))
    }
}

private struct SwallowingProvider: AuthProvider {
    let inner: any AuthProvider

    func authenticate(_ credential: Credential) async throws -> Principal? {
        do {
            return try await inner.authenticate(credential)
        } catch {
            throw StorageError.unauthenticated
        }
    }
}

private actor RememberingProvider: AuthProvider {
    let inner: any AuthProvider
    private var passed: [[UInt8]: Principal] = [:]

    init(inner: any AuthProvider) {
        self.inner = inner
    }

    func authenticate(_ credential: Credential) async throws -> Principal? {
        guard case .basic(_, let password) = credential else { return nil }
        if let principal = passed[password] { return principal }
        let principal = try await inner.authenticate(credential)
        passed[password] = principal
        return principal
    }
}
