import StorageCore
import StorageTesting
import Testing

/// A store with one account, `ann`, for providers to find.
struct AuthScene: Sendable {
    let metadata = UnreliableMetadataStore(InMemoryMetadataStore())
    let account: Account

    init(passwordHash: String) async throws {
        let register = AccountChange.register(
            login: try Login(Array("ann".utf8)), email: nil, passwordHash: passwordHash, role: .user, ownSpace: false)
        account = try #require(try await metadata.change(register).account)
    }

    /// A provider with credentials of which `ann`'s password is `right`.
    func candidate(
        _ provider: any AuthProvider, of account: Account? = nil, valid: Credential, refused: [Credential],
        end: @escaping @Sendable (any MetadataStore) async throws -> Void
    ) -> AuthProviderCandidate {
        let foreign: [Credential] =
            switch valid {
            case .basic: [.bearer([]), .bearer(Array("right".utf8))]
            case .bearer, .containerToken: [basic("ann", "right"), basic("", "")]
            }
        return AuthProviderCandidate(
            provider: provider, metadata: metadata, account: account ?? self.account, valid: valid, refused: refused,
            foreign: foreign, end: { try await end(metadata) })
    }

    func basic(_ login: String, _ password: String) -> Credential {
        .basic(login: Array(login.utf8), password: Array(password.utf8))
    }

    /// Wrong, unknown, empty, malformed and far too long.
    var wrongBasics: [Credential] {
        [
            basic("ann", "wrong"), basic("bob", "right"), basic("Ann", "right"), basic("ann", ""), basic("", ""),
            .basic(login: [0xFF], password: Array("right".utf8)),
            basic("ann", String(repeating: "right", count: 1_000)),
        ]
    }
}
