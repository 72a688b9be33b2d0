import StorageCore
import StorageTesting
import Testing

@Suite("Auth providers over the kit")
struct AuthProviderTests {
    @Test("Basic holds", arguments: AuthProviderConformance.clauses)
    func basic(_ clause: AuthProviderConformance.Clause) async throws {
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 4, r: 1, p: 1))
        let hash = try await hasher.hash(Array("right".utf8))
        try await clause.check {
            let scene = try await AuthScene(passwordHash: hash)
            let provider = try BasicAuthProvider(metadata: scene.metadata, hasher: hasher)
            return scene.candidate(provider, valid: scene.basic("ann", "right"), refused: scene.wrongBasics) {
                let other = try await hasher.hash(Array("other".utf8))
                _ = try await $0.change(.setPassword(scene.account.id, passwordHash: other, replacing: nil))
            }
        }
        await hasher.shutdown()
    }

    @Test("Bearer holds", arguments: AuthProviderConformance.clauses)
    func bearer(_ clause: AuthProviderConformance.Clause) async throws {
        try await clause.check {
            let scene = try await AuthScene(passwordHash: "$none$")
            let (token, unknown) = (try AccessToken(), try AccessToken())
            let add = AccountChange.addCredential(
                scene.account.id, try token.digest, kind: .session, label: nil, lifetime: nil, idle: 3_600_000_000)
            let credential = try #require(try await scene.metadata.change(add).credential)
            let malformed: [[UInt8]] = [
                [], Array("right".utf8), Array(token.text.utf8.dropLast()), Array("\(token.text)=".utf8),
                [UInt8](repeating: 0xFF, count: 43), [UInt8](repeating: 0x61, count: 100_000),
            ]
            return scene.candidate(
                BearerAuthProvider(metadata: scene.metadata, idle: .seconds(3_600)),
                valid: .bearer(Array(token.text.utf8)),
                refused: [.bearer(Array(unknown.text.utf8))] + malformed.map { .bearer($0) }
            ) {
                _ = try await $0.change(.revokeCredential(scene.account.id, credential))
            }
        }
    }

    @Test(
        "Container tokens hold", arguments: AuthProviderConformance.clauses,
        [ContainerTokenAuthProvider.Mode.open, .known])
    func containerToken(_ clause: AuthProviderConformance.Clause, mode: ContainerTokenAuthProvider.Mode) async throws {
        try await clause.check {
            let scene = try await AuthScene(passwordHash: "$none$")
            let (token, unknown) = (try #require(ContainerToken(.random())), try #require(ContainerToken(.random())))
            let open = AccountChange.openContainer(try token.digest, ownSpace: true)
            let account = try #require(try await scene.metadata.change(open).account)
            return scene.candidate(
                ContainerTokenAuthProvider(metadata: scene.metadata, mode: mode), of: account,
                valid: .containerToken(token),
                refused: mode == .known ? [.containerToken(unknown)] : []
            ) {
                _ = try await $0.change(.revokeCredentials(account.id, except: nil))
            }
        }
    }

    @Test("A container token that nothing was written under is somebody without an account, and leaves nothing behind")
    func newContainer() async throws {
        let scene = try await AuthScene(passwordHash: "$none$")
        let provider = ContainerTokenAuthProvider(metadata: scene.metadata)
        let token = try #require(ContainerToken(.random()))
        let principal = try #require(try await provider.authenticate(.containerToken(token)))
        let record = try await scene.metadata.account(.credential(token.digest))
        let digest = try token.digest
        #expect(principal.identity == .newContainer(digest))
        #expect(principal.account == nil)
        #expect(record == nil)
    }
}
