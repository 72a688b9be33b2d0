import StorageTesting
import Synchronization
import Testing

@testable import StorageCore

/// The time of two processes and their database, which stands still.
private final class SharedTime: Sendable {
    private let start = ContinuousClock.now
    private let passed = Mutex(Duration.zero)

    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    var timestamp: Timestamp {
        Timestamp(microseconds: 1_700_000_000_000_000 + passed.withLock { $0 }.wholeMicroseconds)
    }

    func advance(by duration: Duration) { passed.withLock { $0 += duration } }
}

@Suite("Tokens that several processes know of")
struct SharedPrincipalsTests {
    private let time = SharedTime()
    private let metadata: InMemoryMetadataStore
    private let shared = InMemorySharedCache()

    init() {
        let time = time
        metadata = InMemoryMetadataStore { time.timestamp }
    }

    private struct Process {
        let store: UnreliableMetadataStore
        let provider: BearerAuthProvider

        func accepts(_ token: AccessToken) async throws -> Bool {
            do {
                return try await provider.authenticate(.bearer(Array(token.text.utf8))) != nil
            } catch let error as StorageError where error.code == .unauthenticated {
                return false
            }
        }
    }

    private func process() -> Process {
        let store = UnreliableMetadataStore(metadata)
        let time = time
        let cache = TrustedCache(shared, key: [UInt8](repeating: 1, count: 32))
        return Process(
            store: store, provider: BearerAuthProvider(metadata: store, idle: nil, cache: cache) { time.now })
    }

    private func signIn() async throws -> (account: Account, token: AccessToken, credential: CredentialID) {
        let account = try await ProviderSample.register("ann-\(AccountID())", password: "the right one", in: metadata)
        let token = try AccessToken()
        let change = try await metadata.change(
            .addCredential(account.id, try token.digest, kind: .session, label: nil, lifetime: nil, idle: nil))
        return (account, token, try #require(change.credential))
    }

    /// A process that has heard from the database just now, and so knows what time it is there.
    private func informedProcess() async throws -> Process {
        let process = process()
        let accepted = try await process.accepts(try await signIn().token)
        #expect(accepted)
        return process
    }

    @Test("are asked for once in a second by all of them together")
    func askedOnce() async throws {
        let (one, two) = (process(), try await informedProcess())
        let token = try await signIn().token
        var accepted = try await one.accepts(token)
        #expect(accepted)
        two.store.isFailing = true
        time.advance(by: .milliseconds(900))
        accepted = try await two.accepts(token)
        #expect(accepted, "known by way of the cache")
    }

    @Test("end within a second after they were revoked, whoever remembers them")
    func oneSecond() async throws {
        let (one, two) = (process(), try await informedProcess())
        let (account, token, credential) = try await signIn()
        var accepted = try await one.accepts(token)
        #expect(accepted)
        _ = try await metadata.change(.revokeCredential(account.id, credential))
        time.advance(by: .milliseconds(999))
        accepted = try await two.accepts(token)
        #expect(accepted, "a second has not passed since it was asked for")
        time.advance(by: .milliseconds(1))
        for process in [one, two] {
            accepted = try await process.accepts(token)
            #expect(!accepted)
        }
    }

    @Test("are not believed by who has just ended one")
    func endedHere() async throws {
        let (one, two) = (process(), try await informedProcess())
        let (account, token, credential) = try await signIn()
        var accepted = try await one.accepts(token)
        #expect(accepted)
        _ = try await metadata.change(.revokeCredential(account.id, credential))
        two.provider.forget(credential)
        accepted = try await two.accepts(token)
        #expect(!accepted)
    }

    @Test("are asked of the database by who does not know what time it is there")
    func uninformed() async throws {
        let (one, two) = (process(), process())
        let token = try await signIn().token
        let accepted = try await one.accepts(token)
        #expect(accepted)
        two.store.isFailing = true
        await #expect(throws: StorageError.self) { try await two.accepts(token) }
    }

    @Test("are not taken from a time to come, nor by a clock that was not read for long")
    func clocks() async throws {
        let (one, two) = (process(), try await informedProcess())
        let token = try await signIn().token
        time.advance(by: .seconds(31))
        let accepted = try await one.accepts(token)
        #expect(accepted)
        two.store.isFailing = true
        await #expect(throws: StorageError.self, "the clock was read 31 s ago") { try await two.accepts(token) }

        let clock = DatabaseClock()
        let now = ContinuousClock.now
        #expect(clock.time(at: now) == nil)
        clock.note(Timestamp(microseconds: 5_000_000), asked: now)
        #expect(clock.time(at: now + .seconds(1)) == Timestamp(microseconds: 6_000_000))
        #expect(clock.time(at: now - .seconds(1)) == nil)
    }
}
