import StorageTesting
import Testing

@testable import StorageCore

@Suite("BuiltInAuthentication")
struct BuiltInAuthenticationTests {
    private let metadata = InMemoryMetadataStore()
    private let builtIn: BuiltInAuthentication

    init() throws {
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 4, r: 1, p: 1))
        builtIn = try BuiltInAuthentication(metadata: metadata, hasher: hasher)
    }

    private func register() async throws -> Account {
        try await builtIn.accounts.register(
            login: Array("ann".utf8), password: Array("the right one".utf8), email: nil, as: nil)
    }

    private func token(for account: Account) async throws -> Credential {
        .bearer(Array(try await builtIn.accounts.issueToken(for: account, label: nil).text.utf8))
    }

    @Test("leads from each of the three kinds of credentials to its account")
    func kinds() async throws {
        let ann = try await register()
        let uuid = try #require(ContainerToken(.random()))
        let container = try await builtIn.accounts.add(uuid)
        let basic = Credential.basic(login: Array("ann".utf8), password: Array("the right one".utf8))
        for (credential, account) in [
            (basic, ann), (try await token(for: ann), ann), (.containerToken(uuid), container),
        ] {
            let principal = try await builtIn.authenticate(credential)
            #expect(principal?.account?.id == account.id)
        }
        let wrong = Credential.basic(login: Array("ann".utf8), password: Array("the wrong one".utf8))
        let error = await #expect(throws: StorageError.self) { try await builtIn.authenticate(wrong) }
        #expect(error?.code == .unauthenticated)
    }

    @Test("remembers for a moment whom a token belongs to, so that a download need not wait for it")
    func remembers() async throws {
        let ann = try await register()
        let (bearer, uuid) = (try await token(for: ann), try #require(ContainerToken(.random())))
        _ = try await builtIn.accounts.add(uuid)
        for credential in [bearer, .containerToken(uuid)] {
            var recalled: Principal?
            // More than once, should the machine stand still for the second that it lasts.
            for _ in 0..<10 where recalled == nil {
                _ = try await builtIn.authenticate(credential)
                recalled = builtIn.recall(credential)
            }
            #expect(recalled?.account != nil)
        }
    }

    @Test("forgets what its registry ends at once, not only after the second that it may be remembered")
    func forgets() async throws {
        let ann = try await register()
        let first = try await token(for: ann)
        let principal = try #require(try await builtIn.authenticate(first))
        try await builtIn.accounts.endToken(of: principal)
        var error = await #expect(throws: StorageError.self) { try await builtIn.authenticate(first) }
        #expect(error?.code == .unauthenticated)

        let second = try await token(for: ann)
        _ = try await builtIn.authenticate(second)
        try await builtIn.accounts.setDisabled(true, of: ann)
        error = await #expect(throws: StorageError.self) { try await builtIn.authenticate(second) }
        #expect(error?.code == .unauthenticated)
    }
}
