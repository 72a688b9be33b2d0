import StorageTesting
import Synchronization
import Testing

@testable import StorageCore

/// A clock that stands still until it is moved.
private final class HandClock: Sendable {
    private let start = ContinuousClock.now
    private let offset = Mutex(Duration.zero)

    var now: ContinuousClock.Instant { start + offset.withLock { $0 } }
    var timestamp: Timestamp { Timestamp(microseconds: 1_000_000_000 + offset.withLock { $0 }.wholeMicroseconds) }

    func advance(by duration: Duration) {
        offset.withLock { $0 += duration }
    }
}

@Suite("Bearer")
struct BearerProviderTests {
    private let clock = HandClock()
    private let metadata: InMemoryMetadataStore
    private let reachable: UnreliableMetadataStore

    init() {
        let clock = clock
        metadata = InMemoryMetadataStore { clock.timestamp }
        reachable = UnreliableMetadataStore(metadata)
    }

    private struct SignIn {
        let account: Account
        let token: AccessToken
        let credential: CredentialID
        let provider: BearerAuthProvider

        func isAccepted() async throws -> Bool {
            do {
                return try await provider.authenticate(.bearer(Array(token.text.utf8)))?.account == account
            } catch let error as StorageError where error.code == .unauthenticated {
                return false
            }
        }
    }

    private func signIn(lifetime: Duration? = nil, idle: Duration? = nil) async throws -> SignIn {
        let account = try await ProviderSample.register("ann", password: "the right one", in: metadata)
        let token = try AccessToken()
        let change = try await metadata.change(
            .addCredential(
                account.id, try token.digest, kind: .session, label: nil, lifetime: lifetime?.wholeMicroseconds,
                idle: idle?.wholeMicroseconds))
        let clock = clock
        return SignIn(
            account: account, token: token, credential: try #require(change.credential),
            provider: BearerAuthProvider(metadata: reachable, idle: idle) { clock.now })
    }

    @Test("the database is asked once a second, and a token that was revoked elsewhere ends within it")
    func oneSecond() async throws {
        let signIn = try await signIn()
        var accepted = try await signIn.isAccepted()
        #expect(accepted)
        _ = try await metadata.change(.revokeCredential(signIn.account.id, signIn.credential))
        clock.advance(by: .milliseconds(999))
        reachable.isFailing = true
        accepted = try await signIn.isAccepted()
        #expect(accepted)
        reachable.isFailing = false
        clock.advance(by: .milliseconds(1))
        accepted = try await signIn.isAccepted()
        #expect(!accepted)
    }

    @Test("a refusal is not remembered")
    func refusals() async throws {
        let signIn = try await signIn()
        let token = try AccessToken()
        let before = await codeThrown { _ = try await signIn.provider.authenticate(.bearer(Array(token.text.utf8))) }
        #expect(before == .unauthenticated)
        _ = try await metadata.change(
            .addCredential(signIn.account.id, try token.digest, kind: .session, label: nil, lifetime: nil, idle: nil))
        let principal = try await signIn.provider.authenticate(.bearer(Array(token.text.utf8)))
        #expect(principal?.account == signIn.account)
    }

    @Test("what is revoked in this process ends at once", arguments: [true, false])
    func forgetting(byCredential: Bool) async throws {
        let signIn = try await signIn()
        var accepted = try await signIn.isAccepted()
        #expect(accepted)
        _ = try await metadata.change(.revokeCredential(signIn.account.id, signIn.credential))
        if byCredential { signIn.provider.forget(signIn.credential) } else { signIn.provider.forget(signIn.account.id) }
        accepted = try await signIn.isAccepted()
        #expect(!accepted)
    }

    @Test("an answer that was under way when its token was revoked is not remembered")
    func lateAnswer() throws {
        let clock = clock
        let recent = RecentPrincipals(capacity: 4) { clock.now }
        let digest = try AccessToken().digest
        let principal = Principal(identity: .newContainer(digest))
        let early = recent.ask()
        recent.forget { _ in false }
        recent.remember(principal, for: digest, asked: early)
        #expect(recent.principal(for: digest) == nil)
        recent.remember(principal, for: digest, asked: recent.ask())
        #expect(recent.principal(for: digest) == principal)
    }

    @Test("an answer counts from the question, not from its arrival")
    func slowAnswer() throws {
        let clock = clock
        let recent = RecentPrincipals(capacity: 4) { clock.now }
        let digest = try AccessToken().digest
        let question = recent.ask()
        clock.advance(by: .milliseconds(900))
        recent.remember(Principal(identity: .newContainer(digest)), for: digest, asked: question)
        #expect(recent.principal(for: digest) != nil)
        clock.advance(by: .milliseconds(100))
        #expect(recent.principal(for: digest) == nil)
    }

    @Test("use keeps a token alive beyond its idle time, and disuse ends it")
    func idleTime() async throws {
        let signIn = try await signIn(idle: .seconds(600))
        for _ in 0..<20 {
            let accepted = try await signIn.isAccepted()
            #expect(accepted)
            clock.advance(by: .seconds(500))
        }
        clock.advance(by: .seconds(600))
        let accepted = try await signIn.isAccepted()
        #expect(!accepted)
    }

    @Test(
        "use is noted every five minutes or tenth of the idle time, not with every request", arguments: [600, 86_400])
    func touches(idle: Int) async throws {
        let signIn = try await signIn(idle: .seconds(idle))
        let interval = min(300, idle / 10)
        func lastUse() async throws -> Timestamp? {
            try await metadata.account(.credential(try signIn.token.digest))?.credential?.lastUsedAt
        }
        clock.advance(by: .seconds(interval - 2))
        _ = try await signIn.isAccepted()
        var last = try await lastUse()
        #expect(last == nil)
        clock.advance(by: .seconds(2))
        _ = try await signIn.isAccepted()
        last = try await lastUse()
        #expect(last == clock.timestamp)
        clock.advance(by: .seconds(interval - 2))
        _ = try await signIn.isAccepted()
        let unmoved = try await lastUse()
        #expect(unmoved == last)
    }

    @Test("a token ends with its lifetime however it is used")
    func lifetime() async throws {
        let signIn = try await signIn(lifetime: .seconds(100), idle: .seconds(50))
        clock.advance(by: .seconds(40))
        var accepted = try await signIn.isAccepted()
        #expect(accepted)
        clock.advance(by: .seconds(40))
        accepted = try await signIn.isAccepted()
        #expect(accepted)
        clock.advance(by: .seconds(20))
        accepted = try await signIn.isAccepted()
        #expect(!accepted)
    }

    @Test("a container's token is no bearer token")
    func otherKind() async throws {
        let signIn = try await signIn()
        let token = try AccessToken()
        _ = try await metadata.change(
            .addCredential(signIn.account.id, try token.digest, kind: .container, label: nil, lifetime: nil, idle: nil))
        let code = await codeThrown { _ = try await signIn.provider.authenticate(.bearer(Array(token.text.utf8))) }
        #expect(code == .unauthenticated)
    }
}

@Suite("Container tokens")
struct ContainerTokenProviderTests {
    private let metadata = InMemoryMetadataStore()

    @Test("an unknown token reads as empty where new ones are open, and is refused elsewhere")
    func unknown() async throws {
        let token = try ProviderSample.containerToken()
        let open = ContainerTokenAuthProvider(metadata: metadata, mode: .open)
        let principal = try await open.authenticate(.containerToken(token))
        #expect(principal == Principal(identity: .newContainer(try token.digest)))
        let made = try await metadata.account(.credential(try token.digest))
        #expect(made == nil)
        for mode in [ContainerTokenAuthProvider.Mode.known, .off] {
            let provider = ContainerTokenAuthProvider(metadata: metadata, mode: mode)
            let code = await codeThrown { _ = try await provider.authenticate(.containerToken(token)) }
            #expect(code == .unauthenticated)
        }
    }

    @Test("a container is seen as soon as it was made, and refused where tokens are off")
    func known() async throws {
        let token = try ProviderSample.containerToken()
        let open = ContainerTokenAuthProvider(metadata: metadata, mode: .open)
        _ = try await open.authenticate(.containerToken(token))
        let account = try #require(try await metadata.change(.openContainer(try token.digest, ownSpace: true)).account)
        let principal = try await open.authenticate(.containerToken(token))
        #expect(principal?.account == account)
        let off = ContainerTokenAuthProvider(metadata: metadata, mode: .off)
        let code = await codeThrown { _ = try await off.authenticate(.containerToken(token)) }
        #expect(code == .unauthenticated)
    }

    @Test("what is revoked in this process ends at once")
    func forgetting() async throws {
        let token = try ProviderSample.containerToken()
        let account = try #require(try await metadata.change(.openContainer(try token.digest, ownSpace: true)).account)
        let provider = ContainerTokenAuthProvider(metadata: metadata, mode: .known)
        let principal = try #require(try await provider.authenticate(.containerToken(token)))
        _ = try await metadata.change(.revokeCredential(account.id, try #require(principal.credential)))
        provider.forget(account.id)
        let code = await codeThrown { _ = try await provider.authenticate(.containerToken(token)) }
        #expect(code == .unauthenticated)
    }
}
