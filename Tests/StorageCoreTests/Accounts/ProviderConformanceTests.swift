import StorageTesting
import Testing

@testable import StorageCore

/// The three providers, each with credentials that it accepts and refuses.
enum ProviderSample: String, CaseIterable, Sendable {
    case basic
    case bearer
    case openContainers
    case knownContainers

    static let cheap = ScryptParameters(logN: 4, r: 1, p: 1)

    func candidate() async throws -> AuthProviderCandidate {
        let metadata = UnreliableMetadataStore(InMemoryMetadataStore())
        return switch self {
        case .basic: try await Self.basic(metadata)
        case .bearer: try await Self.bearer(metadata)
        case .openContainers: try await Self.container(metadata, mode: .open)
        case .knownContainers: try await Self.container(metadata, mode: .known)
        }
    }

    static func register(_ login: String, password: String, in metadata: any MetadataStore) async throws -> Account {
        let hash = try await PasswordHasher(parameters: cheap).hash(Array(password.utf8))
        let change = AccountChange.register(
            login: try Login(login.utf8), email: nil, passwordHash: hash, role: .user, ownSpace: false)
        return try #require(try await metadata.change(change).account)
    }

    static func containerToken(_ text: String = "0190a000-aaaa-4bbb-8ccc-00000000000f") throws -> ContainerToken {
        let uuid = try #require(Identifier<ContainerToken>(text: text.utf8))
        return try #require(ContainerToken(uuid))
    }

    private static func basic(_ metadata: UnreliableMetadataStore) async throws -> AuthProviderCandidate {
        let account = try await register("ann", password: "the right one", in: metadata)
        let hasher = PasswordHasher(parameters: cheap)
        return AuthProviderCandidate(
            provider: try BasicAuthProvider(metadata: metadata, hasher: hasher), metadata: metadata, account: account,
            valid: .basic(login: Array("ann".utf8), password: Array("the right one".utf8)),
            refused: [
                .basic(login: Array("ann".utf8), password: Array("the wrong one".utf8)),
                .basic(login: Array("ann".utf8), password: []),
                .basic(login: Array("ann".utf8), password: [UInt8](repeating: 65, count: 100_000)),
                .basic(login: Array("Ann".utf8), password: Array("the right one".utf8)),
                .basic(login: Array("bob".utf8), password: Array("the right one".utf8)),
                .basic(login: Array("public".utf8), password: []), .basic(login: [], password: []),
                .basic(login: [0xFF, 0x00], password: Array("the right one".utf8)),
            ],
            foreign: [.bearer(Array("the right one".utf8)), .containerToken(try containerToken())],
            end: {
                let hash = try await hasher.hash(Array("another one".utf8))
                _ = try await metadata.change(.setPassword(account.id, passwordHash: hash, replacing: nil))
            })
    }

    private static func bearer(_ metadata: UnreliableMetadataStore) async throws -> AuthProviderCandidate {
        let account = try await register("ann", password: "the right one", in: metadata)
        let token = try AccessToken()
        let change = try await metadata.change(
            .addCredential(account.id, try token.digest, kind: .session, label: nil, lifetime: nil, idle: nil))
        let credential = try #require(change.credential)
        return AuthProviderCandidate(
            provider: BearerAuthProvider(metadata: metadata, idle: nil), metadata: metadata, account: account,
            valid: .bearer(Array(token.text.utf8)),
            refused: [
                .bearer([]), .bearer(Array(try AccessToken().text.utf8)), .bearer(Array(token.text.utf8.dropLast())),
                .bearer(Array(token.text.lowercased().utf8) + [0]), .bearer([UInt8](repeating: 65, count: 100_000)),
                .bearer([0xFF, 0x00]),
            ],
            foreign: [.basic(login: Array("ann".utf8), password: []), .containerToken(try containerToken())],
            end: { _ = try await metadata.change(.revokeCredential(account.id, credential)) })
    }

    private static func container(
        _ metadata: UnreliableMetadataStore, mode: ContainerTokenAuthProvider.Mode
    ) async throws -> AuthProviderCandidate {
        let token = try containerToken()
        let change = try await metadata.change(.openContainer(try token.digest, ownSpace: true))
        let account = try #require(change.account)
        let record = try #require(try await metadata.account(.credential(try token.digest)))
        let credential = try #require(record.credential)
        let unknown = Credential.containerToken(try containerToken("0190a000-aaaa-4bbb-8ccc-0000000000ff"))
        return AuthProviderCandidate(
            provider: ContainerTokenAuthProvider(metadata: metadata, mode: mode), metadata: metadata, account: account,
            valid: .containerToken(token), refused: mode == .known ? [unknown] : [],
            foreign: [.basic(login: Array("ann".utf8), password: []), .bearer(Array("token".utf8))],
            end: { _ = try await metadata.change(.revokeCredential(account.id, credential.id)) })
    }
}

@Suite("The providers keep the contract of AuthProvider")
struct ProviderConformanceTests {
    @Test(arguments: ProviderSample.allCases, AuthProviderConformance.clauses)
    func holds(_ sample: ProviderSample, _ clause: AuthProviderConformance.Clause) async throws {
        try await clause.check { try await sample.candidate() }
    }
}
