import Testing

@testable import storaged

@Suite("The settings of a bucket")
struct BucketConfigurationTests {
    private func fixture(_ environment: [String: String] = [:], _ arguments: [String] = []) throws
        -> ConfigurationFixture
    {
        let fixture = try ConfigurationFixture()
        let keys = ["S3_BUCKET": "files", "S3_ACCESS_KEY": "hunter2a", "S3_SECRET_KEY": "hunter2b"]
        fixture.environment = keys.merging(environment) { $1 }
        fixture.arguments = arguments
        return fixture
    }

    @Test("a bucket makes the store s3, and the collector wait a day, until somebody says otherwise")
    func defaults() throws {
        let configuration = try fixture().load()
        #expect(configuration.blobs.store == .s3)
        #expect(configuration.blobs.fallback == nil)
        #expect(configuration.blobs.hotCache == 0)
        #expect(configuration.upkeep.grace == .seconds(86_400))
        #expect(configuration.database.location == .sqlite(path: "./data/storaged.sqlite"))
        #expect(configuration.notices == [])
        #expect(try fixture([:], ["--upkeep-grace", "5min"]).load().upkeep.grace == .seconds(300))
        let moving = try fixture([:], ["--blobs-store=disk", "--blobs-fallback=S3"]).load()
        #expect(moving.blobs.store == .disk)
        #expect(moving.blobs.fallback == .s3)
        #expect(moving.upkeep.grace == .seconds(86_400))
        #expect(moving.s3?.bucket == "files")
    }

    @Test(
        "the seeds' names count after the own ones, and each other's in the order of the manual",
        arguments: [
            (["S3_ENDPOINT": "http://a", "ENDPOINT_URL": "http://b"], "http://a"),
            (["ENDPOINT_URL": "http://b", "AWS_ENDPOINT_URL": "http://c"], "http://b"),
            (["AWS_ENDPOINT_URL": "http://c:9000/"], "http://c:9000"),
            (["S3_ENDPOINT": "https://[::1]:9000"], "https://[::1]:9000"),
            (["S3_ENDPOINT": "HTTPS://S3.example.org/"], "HTTPS://S3.example.org"),
            (["S3_ENDPOINT": "amazon"], nil),
            ([:], nil),
        ] as [([String: String], String?)])
    func endpoint(environment: [String: String], endpoint: String?) throws {
        #expect(try fixture(environment).load().s3?.endpoint == endpoint)
    }

    @Test("everything can be set, and a YAML file says it by parts")
    func everything() throws {
        let fixture = try ConfigurationFixture()
        try fixture.write(
            """
            blobs: {store: s3, fallback: "disk:/srv/old files", hot-cache: 10GiB}
            s3:
              endpoint: http://10.0.0.5:9000
              region: eu-central-2
              bucket: Files_1
              prefix: a/b.c/
              access-key: AK
              secret-key: hunter2
              session-token: hunter2/+=
              path-style: yes
            """, to: "c.yaml")
        fixture.arguments = ["--config", "c.yaml"]
        let configuration = try fixture.load()
        #expect(configuration.blobs.fallback == .disk(directory: "/srv/old files"))
        #expect(configuration.blobs.hotCache == 10 << 30)
        let s3 = try #require(configuration.s3)
        #expect([s3.endpoint, s3.region, s3.bucket] == ["http://10.0.0.5:9000", "eu-central-2", "Files_1"])
        #expect(s3.prefix == "a/b.c")
        #expect(s3.sessionToken == SecretText(bytes: Array("hunter2/+=".utf8)))
        #expect(s3.isPathStyle)
        #expect(configuration.notices == [])
    }

    @Test("its keys are in no print")
    func redaction() throws {
        let configuration = try fixture(["AWS_SESSION_TOKEN": "hunter2c"]).load()
        var dumped = ""
        dump(configuration.s3, to: &dumped)
        for text in [configuration.provenance.description, "\(configuration)", "\(configuration.s3 as Any)", dumped] {
            #expect(text.contains("files"))
            #expect(!text.contains("hunter2"))
        }
        let lines = configuration.provenance.description.split(separator: "\n")
        for name in ["s3.access-key", "s3.secret-key", "s3.session-token"] {
            #expect(lines.contains { $0.hasPrefix("\(name) ") && $0.contains(" *** ") }, "\(name)")
        }
    }

    @Test("what was given for a bucket has no effect on another store, may be anything, and is named")
    func idle() throws {
        let fixture = try fixture(["S3_ENDPOINT": "not a URL"], ["--blobs-store", "disk", "--blobs-hot-cache=1GiB"])
        let configuration = try fixture.load()
        #expect(configuration.s3 == nil)
        let reason = "has no effect: blobs.store (--blobs-store) is disk"
        #expect(
            configuration.notices == [
                "blobs.hot-cache (--blobs-hot-cache) \(reason)",
                "s3.endpoint (S3_ENDPOINT in the environment) \(reason)",
                "s3.bucket (S3_BUCKET in the environment) \(reason)",
                "s3.access-key (S3_ACCESS_KEY in the environment) \(reason)",
                "s3.secret-key (S3_SECRET_KEY in the environment) \(reason)",
            ])
        fixture.environment = ["AWS_REGION": "eu west"]
        fixture.arguments = []
        #expect(
            try fixture.load().notices == [
                "s3.region (AWS_REGION in the environment) has no effect: no s3.bucket is given"
            ])
    }
}
