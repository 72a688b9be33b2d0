import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import storaged

/// The built program as people start it.
@Suite("The program")
struct CommandProcessTests {
    private func run(
        _ arguments: [String], environment: [String: String] = [:], in fixture: ConfigurationFixture
    ) throws -> Program {
        try Program(arguments, environment: environment, in: fixture.directory)
    }

    @Test("says its version")
    func version() throws {
        let outcome = try run(["--version"], in: ConfigurationFixture())
        #expect(outcome.status == 0)
        #expect(outcome.output == "storaged 0.1.0\n")
    }

    @Test(
        "ends with 78 and has touched nothing when its configuration cannot be right",
        arguments: [
            ["--http-port", "x"], ["serve", "--http-prot", "1"], ["--log-level=loud", "migrate", "up"],
            ["config", "--config", "no"],
            ["--nonsense", "nonsense"],
        ])
    func wrongConfiguration(arguments: [String]) throws {
        let fixture = try ConfigurationFixture()
        let outcome = try run(arguments, in: fixture)
        #expect(outcome.status == 78)
        #expect(outcome.output == "")
        #expect(
            outcome.errors.hasPrefix(
                "storaged: the configuration cannot be right (1 problem); nothing was touched:\n  "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [])
    }

    @Test(
        "ends with 64 when its command is none",
        arguments: [["sevre"], ["migrate"], ["migrate", "sideways"], ["serve", "now"]])
    func wrongUsage(arguments: [String]) throws {
        let fixture = try ConfigurationFixture()
        let outcome = try run(arguments, in: fixture)
        #expect(outcome.status == 64)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [])
    }

    @Test("names the commands to somebody who gives another word")
    func commands() throws {
        let outcome = try run(["frob"], in: ConfigurationFixture())
        #expect(
            outcome.errors.contains(
                "there is no command 'frob'; the commands are config, copy-blobs, copy-metadata, fsck, "))
    }

    @Test("prints a line of JSON for every setting, and null for what is not there")
    func jsonLines() throws {
        let config = try run(["config", "--json"], environment: ["AWS_REGION": "a"], in: ConfigurationFixture())
        let lines = config.output.split(separator: "\n").map(String.init)
        #expect(lines.count == ConfigurationTable.storaged.keys.count + 1)
        #expect(lines.contains(#"{"key":"http.port","source":"default","value":"8080"}"#))
        #expect(
            lines.last
                == #"{"notice":"s3.region (AWS_REGION in the environment) has no effect: no s3.bucket is given"}"#)
        let health = try run(["health", "--json", "--http-port", "1"], in: ConfigurationFixture())
        #expect(health.status == 1)
        #expect(health.output.hasPrefix(#"{"is_ready":false,"reason":"http://127.0.0.1:1/readyz does not answer"#))
    }

    @Test("prints what is in force and where it came from")
    func config() throws {
        let fixture = try ConfigurationFixture()
        try fixture.write("LOG_LEVEL = 'debug'\nAWS_REGION=eu\n", to: ".env")
        let outcome = try run(["config", "--http-port=9000"], environment: ["HTTP_HOST": "::1"], in: fixture)
        #expect(outcome.status == 0)
        let lines = outcome.output.split(separator: "\n").map {
            $0.split(separator: " ", maxSplits: 2).map(String.init)
        }
        let rows = lines.filter { $0[0] == "http.host" || $0[0] == "http.port" || $0[0] == "log.level" }
        #expect(rows.map { $0[1] } == ["::1", "9000", "debug"])
        #expect(outcome.output.contains("--http-port\n"))
        #expect(outcome.output.contains("HTTP_HOST in the environment\n"))
        #expect(
            outcome.output.hasSuffix("# s3.region (AWS_REGION in .env, line 2) has no effect: no s3.bucket is given\n"))
    }

    @Test("lists every setting in the help of every command", arguments: ["serve", "health", "migrate", "config"])
    func help(command: String) throws {
        let outcome = try run([command, "--help", "--nonsense"], in: ConfigurationFixture())
        #expect(outcome.status == 0)
        for key in ConfigurationTable.storaged.keys {
            let name = key.isSecret ? key.environmentName : key.flag
            #expect(outcome.output.contains("  \(name) \(key.fallback.described)\n"))
        }
    }

    @Test("health ends with 1 when nobody answers")
    func health() throws {
        let outcome = try run(["health", "--http-port", "1"], in: ConfigurationFixture())
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("http://127.0.0.1:1/readyz does not answer"))
    }

    @Test("health believes 200 and nothing else", arguments: [200, 204, 404, 503])
    func healthAnswer(status: Int) async throws {
        let router = Router()
        router.get("readyz") { _, _ in HTTPResponse.Status(code: status) }
        try await Application(router: router).test(.live) { client in
            let port = try #require(client.port)
            let configuration = try StoragedConfiguration(settings: ["http.port": "\(port)"])
            if status == 200 {
                try await HealthCommand.ask(HealthCommand.url(for: configuration.http))
            } else {
                let error = await #expect(throws: NotReady.self) {
                    try await HealthCommand.ask(HealthCommand.url(for: configuration.http))
                }
                #expect(error?.description == "http://127.0.0.1:\(port)/readyz answers \(status)")
            }
        }
    }

    @Test(
        "health asks the loopback address of a daemon that listens on all",
        arguments: [
            ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("192.0.2.7", "192.0.2.7"), ("files", "files"),
        ])
    func healthAddress(host: String, asked: String) {
        #expect(HealthCommand.url(for: .init(host: host, port: 80)) == "http://\(asked):80/readyz")
    }
}
