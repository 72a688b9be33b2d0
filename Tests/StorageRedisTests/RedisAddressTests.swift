import Testing

@testable import StorageRedis

@Suite("Addresses of a Redis")
struct RedisAddressTests {
    @Test(
        "are read as they are meant",
        arguments: [
            ("redis://localhost", "localhost", 6_379, nil, nil, 0),
            ("redis://cache.example:7000/3", "cache.example", 7_000, nil, nil, 3),
            ("redis://:secret@127.0.0.1", "127.0.0.1", 6_379, nil, "secret", 0),
            ("redis://ann:p%40ss%3a@[::1]:1/", "::1", 1, "ann", "p@ss:", 0),
        ] as [(String, String, UInt16, String?, String?, Int64)])
    func hosts(text: String, host: String, port: UInt16, user: String?, password: String?, database: Int64) throws {
        let address = try #require(RedisAddress(text))
        #expect(address.place == .host(host, port: port))
        #expect(address.user == user.map { Array($0.utf8) })
        #expect(address.password == password.map { Array($0.utf8) })
        #expect(address.database == database)
        #expect(address.hasSecret == (password != nil))
        if password == nil { #expect(address.description == text) }
    }

    @Test("may be a socket's")
    func socket() throws {
        let address = try #require(RedisAddress("unix:///run/redis/redis.sock"))
        #expect(address.place == .socket("/run/redis/redis.sock"))
        #expect(address.description == "unix:///run/redis/redis.sock")
    }

    @Test(
        "that could mean two things, or nothing, are none",
        arguments: [
            "", "redis:", "redis://", "redis:///1", "redis://h:0", "redis://h:65536", "redis://h:+1", "redis://h:1x",
            "redis://h/x", "redis://h/-1", "redis://h/99999", "redis://h/1/2", "redis://h?db=1", "redis://h#1",
            "redis://secret@h", "redis://:@h", "redis://:a@b@h", "redis://:a:b@h", "redis://:%4@h", "redis://:%zz@h",
            "redis://a b", "redis://a\u{0}", "redis://é", "redis://[::1", "redis://[::1]x", "redis://::1", "REDIS://h",
            "rediss://h", "http://h", "h:6379", "unix:", "unix://", "unix://run/a", "redis://a,b",
            "unix:///" + String(repeating: "a", count: 108), "redis://" + String(repeating: "a", count: 254),
        ])
    func refused(text: String) {
        #expect(RedisAddress(text) == nil)
    }

    @Test("never show a password")
    func redacted() throws {
        let address = try #require(RedisAddress("redis://ann:hunter2@h:1/2"))
        #expect(address.description == "redis://ann:***@h:1/2")
        var dumped = ""
        dump(address, to: &dumped)
        #expect(!dumped.contains("hunter2") && !"\(address)".contains("hunter2"))
        #expect(!String(reflecting: address).contains("hunter2"))
    }
}
