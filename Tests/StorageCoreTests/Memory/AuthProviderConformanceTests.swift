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
        let scene = try await AuthScene(passwordHash: "right")
        return scene.candidate(make(scene.metadata), valid: scene.basic("ann", "right"), refused: scene.wrongBasics) {
            _ = try await $0.change(.setPassword(scene.account.id, passwordHash: "other", replacing: nil))
        }
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
