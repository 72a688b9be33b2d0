import Testing

@testable import StorageCore

@Suite("Basic")
struct BasicProviderTests {
    private let metadata = InMemoryMetadataStore()
    private let login = Array("ann".utf8)
    private let password = Array("the right one".utf8)

    @Test("a right password is hashed once, a wrong one every time")
    func remembersRightPasswords() async throws {
        // Costs that show: thirty of them would take seconds.
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 14, r: 8, p: 1))
        let hash = try await hasher.hash(password)
        _ = try await metadata.change(
            .register(login: try Login(login), email: nil, passwordHash: hash, role: .user, ownSpace: false))
        let provider = try BasicAuthProvider(metadata: metadata, hasher: hasher)
        func time(_ password: [UInt8], times: Int) async throws -> Duration {
            let start = ContinuousClock.now
            for _ in 0..<times {
                _ = await codeThrown { _ = try await provider.authenticate(.basic(login: login, password: password)) }
            }
            return (ContinuousClock.now - start) / times
        }
        _ = try await time(password, times: 1)
        let right = try await time(password, times: 30)
        let wrong = try await time(Array("the wrong one".utf8), times: 3)
        #expect(right * 10 < wrong)
    }

    @Test("a client's first burst of requests is one hash, not an overload")
    func burst() async throws {
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 14, r: 8, p: 1))
        let hash = try await hasher.hash(password)
        _ = try await metadata.change(
            .register(login: try Login(login), email: nil, passwordHash: hash, role: .user, ownSpace: false))
        let provider = try BasicAuthProvider(metadata: metadata, hasher: hasher)
        let accounts = try await withThrowingTaskGroup(of: Account?.self) { group in
            for _ in 0..<500 {
                group.addTask { try await provider.authenticate(.basic(login: login, password: password))?.account }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(accounts.count == 500)
        #expect(accounts.allSatisfy { $0?.login?.bytes == login })
    }

    @Test("equal wrong passwords at once are one guess, for a login that is known as for one that is not")
    func wrongBurst() async throws {
        // Costs that show, so that those who come later find the first still under way.
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 14, r: 8, p: 1))
        let hash = try await hasher.hash(password)
        _ = try await metadata.change(
            .register(login: try Login(login), email: nil, passwordHash: hash, role: .user, ownSpace: false))
        var limits = RateLimiter.Limits()
        limits.signIn = RateLimit(count: 3, per: .seconds(3_600))
        let provider = try BasicAuthProvider(metadata: metadata, hasher: hasher, limiter: RateLimiter(limits))
        let client = ClientAddress("192.0.2.1")
        for login in [login, Array("nobody".utf8), Array("no:body".utf8)] {
            let wrong = Array("the wrong one".utf8)
            let codes = await withTaskGroup(of: StorageError.Code?.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        await codeThrown {
                            _ = try await provider.authenticate(.basic(login: login, password: wrong), from: client)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == Array(repeating: .unauthenticated, count: 20))
        }
    }

    @Test("a hash of other costs is made anew when its owner signs in, and only with the right password")
    func rehash() async throws {
        let old = ScryptParameters(logN: 3, r: 1, p: 1)
        let hash = try await PasswordHasher(parameters: old).hash(password)
        let change = try await metadata.change(
            .register(login: try Login(login), email: nil, passwordHash: hash, role: .user, ownSpace: false))
        let account = try #require(change.account)
        let provider = try BasicAuthProvider(
            metadata: metadata, hasher: PasswordHasher(parameters: ProviderSample.cheap))

        let code = await codeThrown { _ = try await provider.authenticate(.basic(login: login, password: [1])) }
        #expect(code == .unauthenticated)
        let untouched = try await metadata.account(.id(account.id))?.passwordHash
        #expect(untouched == hash)

        for _ in 0..<2 {
            let principal = try await provider.authenticate(.basic(login: login, password: password))
            #expect(principal?.account?.id == account.id)
        }
        let renewed = try #require(try await metadata.account(.id(account.id))?.passwordHash)
        #expect(renewed.hasPrefix("$scrypt$ln=4,r=1,p=1$"))
    }

    @Test("an overloaded hasher is the server's failure, not the client's")
    func overload() async throws {
        let hasher = PasswordHasher(parameters: ProviderSample.cheap)
        let account = try await ProviderSample.register("ann", password: "the right one", in: metadata)
        let provider = try BasicAuthProvider(metadata: metadata, hasher: hasher)
        await hasher.shutdown()
        for login in [Array("ann".utf8), Array("nobody".utf8)] {
            let code = await codeThrown {
                _ = try await provider.authenticate(.basic(login: login, password: password))
            }
            #expect(code == .unavailable)
        }
        #expect(account.disabledAt == nil)
    }
}
