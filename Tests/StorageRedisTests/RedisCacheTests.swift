import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageRedis

@Suite("A cache in Redis", .needsRedis)
struct RedisCacheTests {
    /// What was set is there soon: nobody waits for it to be written.
    private func expect(
        _ cache: RedisCache, _ key: SharedCacheKey, toBecome value: ByteBuffer?,
        within patience: Duration = .seconds(10)
    ) async throws {
        let deadline = ContinuousClock.now + patience
        while await cache.value(for: key) != value, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        let found = await cache.value(for: key)
        #expect(found == value)
    }

    @Test(
        "keeps any bytes and gives them back",
        arguments: [0, 1, 5, 16_384, Int(Int64.smallBlob), Int(Int64.smallBlob) + 1_024])
    func values(count: Int) async throws {
        try await RedisServer.withCache { cache in
            let key = RedisServer.newKey()
            #expect(await cache.value(for: key) == nil)
            let value = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            cache.set(value, for: key, lifetime: .seconds(60))
            try await expect(cache, key, toBecome: value)
            cache.set(ByteBuffer(string: "\r\n"), for: key, lifetime: .seconds(60))
            try await expect(cache, key, toBecome: ByteBuffer(string: "\r\n"))
            cache.remove(key)
            try await expect(cache, key, toBecome: nil)
        }
    }

    @Test("forgets a value, and a counter, when its time is over")
    func lifetimes() async throws {
        try await RedisServer.withCache { cache in
            let key = RedisServer.newKey()
            cache.set(ByteBuffer(string: "x"), for: key, lifetime: .seconds(3))
            try await expect(cache, key, toBecome: ByteBuffer(string: "x"))
            try await expect(cache, key, toBecome: nil)
            let counter = RedisServer.newKey()
            #expect(await cache.increment(counter, lifetime: .milliseconds(300)) == 1)
            try await Task.sleep(for: .milliseconds(400))
            #expect(await cache.increment(counter, lifetime: .seconds(60)) == 1)
            #expect(await cache.increment(counter, lifetime: .seconds(60)) == 2)
        }
    }

    @Test("is put in front of accounts and a bucket as its documentation says")
    func embedding() async throws {
        let address = try RedisServer.own()
        let (metadata, bucket) = (InMemoryMetadataStore(), InMemoryBlobStore())
        let limits = RateLimiter.Limits()
        let redis = RedisCache(address)
        let cache = try await TrustedCache(redis, metadata: metadata)
        let authentication = try BuiltInAuthentication(
            metadata: metadata, limiter: RateLimiter(limits, cache: cache), cache: cache)
        let blobs = SharedCacheBlobStore(bucket, cache: cache)

        let (login, password) = (Array("ann".utf8), Array("correct horse".utf8))
        let account = try await authentication.accounts.register(
            login: login, password: password, email: nil, as: nil)
        let principal = try await authentication.authenticate(.basic(login: login, password: password))
        #expect(principal?.account?.id == account.id)
        let staged = try await blobs.stage(ByteStream(ByteBuffer(string: "x")))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await blobs.publish(staged, as: key)
        let content = try #require(try await blobs.open(key, range: nil))
        let read = try await content.stream.collect(upTo: 1)
        #expect(read == ByteBuffer(string: "x"))
        await redis.shutdown()
    }

    @Test("counts what comes at once")
    func counts() async throws {
        try await RedisServer.withCache { cache in
            let key = RedisServer.newKey()
            let counts = await withTaskGroup(of: Int64?.self) { group in
                for _ in 0..<100 { group.addTask { await cache.increment(key, lifetime: .seconds(60)) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.compactMap { $0 }.sorted() == Array(1...100))
        }
    }

    @Test("is shared by whoever has the same address and database")
    func shared() async throws {
        let key = RedisServer.newKey()
        let url = try #require(RedisServer.url)
        let other = try #require(RedisAddress(url.replacing("/0", with: "/1")))
        try await RedisServer.withCache { one in
            try await RedisServer.withCache { two in
                one.set(ByteBuffer(string: "x"), for: key, lifetime: .seconds(60))
                try await expect(two, key, toBecome: ByteBuffer(string: "x"))
            }
            try await RedisServer.withCache(at: other) { three in
                try await three.ping()
                let found = await three.value(for: key)
                #expect(found == nil)
            }
        }
    }

    @Test("answers to a sign of life, and not without the password")
    func ping() async throws {
        try await RedisServer.withCache { try await $0.ping() }
        guard case .host(let host, let port) = try RedisServer.own().place else { return }
        for text in ["redis://\(host):\(port)", "redis://:wrong@\(host):\(port)"] {
            let address = try #require(RedisAddress(text))
            try await RedisServer.withCache(at: address) { cache in
                let error = await #expect(throws: StorageError.self) { try await cache.ping() }
                #expect(error?.code == .unavailable)
                #expect(await cache.value(for: RedisServer.newKey()) == nil)
            }
        }
    }

    @Test("has no answers any more once it is shut down")
    func shutDown() async throws {
        try await RedisServer.withCache { cache in
            await cache.shutdown()
            #expect(await cache.value(for: RedisServer.newKey()) == nil)
            cache.set(ByteBuffer(), for: RedisServer.newKey(), lifetime: .seconds(1))
        }
    }
}

@Suite("A Redis that is none")
struct WrongRedisTests {
    private let key = SharedCacheKey(bytes: Array("test".utf8))

    @Test(
        "has no answer that anybody takes for one",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\0", "*1000000000\r\n", "*-1\r\n", "$99999999999\r\nx",
            "$-2\r\n", ":1\r\n", ":x\r\n", "+OK\r\n", "-ERR no\r\n", "+OK\r\n+OK\r\n",
            "$0\r\n\r\n$0\r\n\r\n",
            "$", "\r\n", "%1\r\n", "$100000\r\n" + String(repeating: "x", count: 100_000) + "\r\n",
        ])
    func garbage(text: String) async throws {
        try await FakeRedis.run(answering: Array(text.utf8)) { address in
            try await RedisServer.withCache(patience: .milliseconds(500), at: address) { cache in
                for _ in 0..<5 { #expect(await cache.value(for: key) == nil) }
                cache.set(ByteBuffer(string: "x"), for: key, lifetime: .seconds(1))
            }
        }
    }

    @Test(
        "never has what was sent to it repeated to anybody who reads the log",
        arguments: [
            ("-ERR unknown command 'AUTH', with args beginning with: 'hunter2'", "ERR"), ("-hunter2", "another one"),
            ("-hunter2 ERR", "another one"), ("-WRONGPASS hunter2", "WRONGPASS"), ("-", "another one"),
        ])
    func secrets(answer: String, name: String) async throws {
        try await FakeRedis.run(answering: Array("\(answer)\r\n".utf8), userInfo: ":hunter2@") { address in
            try await RedisServer.withCache(at: address) { cache in
                let error = await #expect(throws: StorageError.self) { try await cache.ping() }
                #expect(error.map { "\($0)" }?.contains("hunter2") == false)
                #expect((error?.cause as? RedisFailure) == .refused(name))
                #expect(RedisFailure.refused(name).description == "an error: \(name)")
            }
        }
    }

    @Test("that refuses to keep anything is still asked, on the connection that it has")
    func full() async throws {
        let connections = FakeRedis.Connections()
        let answer = Array("-OOM command not allowed when used memory > 'maxmemory'.\r\n".utf8)
        try await FakeRedis.run(answering: answer, counting: connections) { address in
            try await RedisServer.withCache(at: address) { cache in
                for _ in 0..<10 { #expect(await cache.increment(key, lifetime: .seconds(1)) == nil) }
                #expect(cache.isAsked)
                #expect(connections.accepted == 1)
                // One that does not answer questions either is of no use.
                for _ in 0..<3 { #expect(await cache.value(for: key) == nil) }
                #expect(!cache.isAsked)
            }
        }
    }

    @Test("that fails again and again has no more connections than before")
    func connections() async throws {
        let connections = FakeRedis.Connections()
        try await FakeRedis.run(answering: Array("+PONG\r\n".utf8), counting: connections) { address in
            try await RedisServer.withCache(at: address) { cache in
                for _ in 0..<10 { cache.tryNow() }
                let deadline = ContinuousClock.now + .seconds(20)
                while connections.open > 1, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(connections.open == 1)
            }
        }
    }

    @Test("keeps nobody waiting who shuts it down")
    func shutDown() async throws {
        let connections = FakeRedis.Connections()
        try await FakeRedis.run(answering: [], counting: connections) { address in
            try await RedisServer.withCache(writing: .seconds(30), at: address) { cache in
                cache.set(ByteBuffer(string: "x"), for: key, lifetime: .seconds(1))
                // A thread waits for its answer.
                let deadline = ContinuousClock.now + .seconds(20)
                while connections.accepted == 0, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(connections.accepted == 1)
                let start = ContinuousClock.now
                await cache.shutdown()
                #expect(ContinuousClock.now - start < .seconds(15))
            }
        }
    }

    @Test("that never answers costs three times the patience, and nothing afterwards")
    func silent() async throws {
        try await FakeRedis.run(answering: []) { address in
            try await RedisServer.withCache(patience: .milliseconds(20), at: address) { cache in
                for _ in 0..<3 { #expect(await cache.value(for: key) == nil) }
                // It is tried behind everybody's back, in vain.
                let start = ContinuousClock.now
                for _ in 0..<10_000 { #expect(await cache.value(for: key) == nil) }
                #expect(ContinuousClock.now - start < .seconds(2))
                await #expect(throws: StorageError.self) { try await cache.ping() }
            }
        }
    }

    @Test("that nobody listens for is none")
    func refused() async throws {
        let address = try #require(RedisAddress("redis://127.0.0.1:1"))
        try await RedisServer.withCache(at: address) { cache in
            for _ in 0..<10 { #expect(await cache.value(for: key) == nil) }
            await #expect(throws: StorageError.self) { try await cache.ping() }
        }
        let socket = try #require(RedisAddress("unix:///nowhere/redis.sock"))
        try await RedisServer.withCache(at: socket) { #expect(await $0.value(for: key) == nil) }
    }

    @Test("that answers again is asked again")
    func recovery() async throws {
        try await FakeRedis.run(answering: Array("+PONG\r\n".utf8)) { address in
            try await RedisServer.withCache(patience: .seconds(2), at: address) { cache in
                // No answer to these, but one to whoever tries.
                for _ in 0..<3 { #expect(await cache.value(for: key) == nil) }
                #expect(!cache.isAsked)
                let deadline = ContinuousClock.now + .seconds(20)
                while !cache.isAsked, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
                #expect(cache.isAsked)
            }
        }
    }
}
