import Testing

@testable import StorageS3

@Suite("What can be known of a configuration without asking")
struct S3ConfigurationTests {
    private func problems(_ change: (inout S3Configuration) -> Void) -> [S3Configuration.Problem.Field] {
        var configuration = S3Configuration(
            endpoint: "https://s3.example.com", bucket: "bucket",
            credentials: S3Credentials(accessKey: "key", secretKey: "secret"))
        change(&configuration)
        return configuration.problems.map(\.field)
    }

    @Test(
        "endpoints are read",
        arguments: [
            ("https://s3.example.com", "https://s3.example.com", 443),
            ("HTTP://10.0.0.5:9000/", "http://10.0.0.5:9000", 9_000),
            ("http://localhost:80", "http://localhost", 80),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", 8_443),
        ])
    func endpoints(text: String, description: String, port: Int) throws {
        let endpoint = try #require(S3Endpoint(text))
        #expect(endpoint.description == description)
        #expect(endpoint.port == port)
    }

    @Test(
        "what is no endpoint is refused, and not repeated",
        arguments: [
            "", "s3.example.com", "ftp://s3.example.com", "https://", "https://:443", "https://s3.example.com:0",
            "https://s3.example.com:65536", "https://s3.example.com:+5", "https://user:hidden@s3.example.com",
            "https://s3.example.com/bucket", "https://s3.example.com?x", "https://s3.example.com#x",
            "https://s3 .example.com",
            "https://[::1", "https://[::1]9000", "https://s3.example.com\r\nX: y", "https://ü.example.com",
        ])
    func badEndpoints(text: String) {
        #expect(problems { $0.endpoint = text } == [.endpoint])
        #expect(S3Endpoint.complaint(about: text)?.contains("hidden") == false)
    }

    @Test("prefixes are parts of keys and nothing else")
    func prefixes() {
        for prefix in ["", "a", "a/", "a/b.c/d_e-f", "..a"] {
            #expect(problems { $0.prefix = prefix } == [], "\(prefix)")
        }
        for prefix in ["/", "/a", "a//b", "a//", ".", "a/../b", "a/./b", "a b", "ü", "a?b", "a%2f", "a\u{0}", "a\n"] {
            #expect(problems { $0.prefix = prefix } == [.prefix], "\(prefix)")
        }
    }

    @Test("buckets have names that a host could have")
    func buckets() {
        for bucket in ["abc", "a-b.c", "A_b"] { #expect(problems { $0.bucket = bucket } == [], "\(bucket)") }
        for bucket in ["", "ab", "-abc", "abc-", "a/b", "a b", "abc?", String(repeating: "a", count: 64)] {
            #expect(problems { $0.bucket = bucket } == [.bucket], "\(bucket)")
        }
        #expect(
            problems {
                $0.bucket = "A_b"
                $0.usesPathStyle = false
            } == [.bucket])
    }

    @Test(
        "a bucket's name stands before the name of a host only where there can be such a host",
        arguments: [
            ("http://10.0.0.5:9000", "bucket", false), ("https://10.0.0.5", "bucket", false),
            ("https://[2001:db8::1]:8443", "bucket", false), ("https://s3.example.com", "my.bucket", false),
            (nil, "my.bucket", false), ("http://s3.example.com", "my.bucket", true),
            ("https://s3.example.com", "bucket", true), (nil, "bucket", true),
            ("http://10.example.com", "bucket", true),
        ] as [(String?, String, Bool)])
    func hosts(endpoint: String?, bucket: String, isPossible: Bool) {
        for usesPathStyle in [true, false] {
            let found = problems {
                $0.endpoint = endpoint
                $0.bucket = bucket
                $0.usesPathStyle = usesPathStyle
            }
            #expect(found == (usesPathStyle || isPossible ? [] : [.pathStyle]))
        }
    }

    @Test("credentials are printable, and all problems are named at once")
    func credentials() {
        #expect(
            problems {
                $0.region = ""
                $0.credentials = S3Credentials(accessKey: "a b", secretKey: "", sessionToken: "\n")
            } == [.region, .accessKey, .secretKey, .sessionToken])
    }

    @Test("a bucket is named in the path or in the host")
    func authorities() throws {
        let endpoint = try #require(S3Endpoint("http://s3.example.com:9000"))
        #expect(endpoint.authority() == "s3.example.com:9000")
        #expect(endpoint.authority(bucket: "b") == "b.s3.example.com:9000")
    }
}
