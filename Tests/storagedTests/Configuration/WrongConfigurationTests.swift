import Foundation
import Testing

@testable import storaged

@Suite("Wrong configurations")
struct WrongConfigurationTests {
    @Test("there are more than enough of them, and no two are the same")
    func count() {
        #expect(WrongConfiguration.all.count >= 40)
        #expect(Set(WrongConfiguration.all.map(\.testDescription)).count == WrongConfiguration.all.count)
    }

    @Test("is refused with status 78 and a message that names key, value and cure", arguments: WrongConfiguration.all)
    func refused(wrong: WrongConfiguration) throws {
        let fixture = try ConfigurationFixture()
        try fixture.become(wrong)
        let error = #expect(throws: ConfigurationError.self) { try fixture.load() }
        #expect(error?.exitStatus == .configuration)
        #expect(error?.problems.count == 1, "\(error?.description ?? "")")
        expectMessage(error?.description ?? "", of: wrong)
    }

    @Test("ends every command before it has touched anything", arguments: WrongConfiguration.all)
    func refusedByTheProgram(wrong: WrongConfiguration) throws {
        let fixture = try ConfigurationFixture()
        try fixture.become(wrong)
        try FileManager.default.createDirectory(
            atPath: fixture.directory + "/data", withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        let before = try fixture.state()
        let commands = [
            [], ["serve"], ["gc"], ["config"], ["migrate", "up"], ["health"], ["import", ".", "--account=a"],
        ]
        let turn = wrong.testDescription.utf8.count % commands.count
        let program = try Program(
            commands[turn] + fixture.arguments, environment: fixture.environment, in: fixture.directory)
        #expect(program.status == 78)
        #expect(program.output == "")
        expectMessage(program.errors, of: wrong)
        #expect(try fixture.state() == before)
    }

    private func expectMessage(_ message: String, of wrong: WrongConfiguration) {
        let value = wrong.value.map { "'\($0)'" }
        for words in [wrong.key] + (value.map { [$0] } ?? []) + wrong.says {
            #expect(message.contains(words), "\(words) in: \(message)")
        }
        #expect(!message.contains("hunter2"))
    }

    @Test("everything that is wrong is said at once, from every source")
    func allAtOnce() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--http-prot", "1", "--http-port", "x"]
        fixture.environment = ["LOG_LEVEL": "loud", "REDIS_URL": "redis:h", "CONFIG_PATH": "c.yaml"]
        try fixture.write("UPKEEP_GRACE=soon\nA='\n", to: ".env")
        try fixture.write("http: {hots: a}\nrevisions.keep: few\n", to: "c.yaml")
        let problems = fixture.problems()
        #expect(problems.count == 8, "\(problems)")
        for words in [
            "--http-prot", "http.port", "log.level", "cache.url", "upkeep.grace", ".env, line 2", "http.hots",
            "revisions.keep",
        ] {
            #expect(problems.count { $0.contains(words) } >= 1, "\(words)")
        }
    }

    @Test("a value that a stronger source overrides is not judged")
    func overridden() throws {
        let fixture = try ConfigurationFixture()
        fixture.environment["HTTP_PORT"] = "nonsense"
        fixture.arguments = ["--http-port", "9000"]
        #expect(try fixture.load().http.port == 9000)
    }

    @Test("a service is decided otherwise by hand: the variables of the other one are named, and have no effect")
    func decidedByHand() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--database-url", "sqlite:x.sqlite", "--blobs-store=disk"]
        try fixture.write("POSTGRES_HOST=h\nPOSTGRES_PASSWORD=hunter2\nBUCKET=b\nPOOL_PRE_PING=True\n", to: ".env")
        let configuration = try fixture.load()
        #expect(configuration.database.location == .sqlite(path: "x.sqlite"))
        #expect(
            configuration.notices == [
                "POSTGRES_HOST in .env, line 1 has no effect: database.url (--database-url) is given",
                "POSTGRES_PASSWORD in .env, line 2 has no effect: database.url (--database-url) is given",
                "database.pool.pre-ping (POOL_PRE_PING in .env, line 4) has no effect: the database is not PostgreSQL",
                "s3.bucket (BUCKET in .env, line 3) has no effect: blobs.store (--blobs-store) is disk",
            ])
    }

    @Test(
        "credentials and tuning alone configure no service",
        arguments: ["AWS_ACCESS_KEY_ID", "AWS_REGION"])
    func ambient(variable: String) throws {
        let fixture = try ConfigurationFixture()
        fixture.environment[variable] = "hunter2"
        let notices = try fixture.load().notices
        #expect(notices.count == 1)
        #expect(notices.first?.contains(variable) == true)
        #expect(notices.first?.contains("hunter2") == false)
    }

    @Test("a secret is in no message, no print and no provider")
    func secrets() throws {
        let secret = ConfigurationKey(
            "a.secret", .count(in: 0...9), default: "0", aliases: ["SECRET"], isSecret: true, help: "a secret")
        let table = ConfigurationTable(keys: Keys.all + [secret], unavailable: [])
        let fixture = try ConfigurationFixture()
        fixture.environment = ["SECRET": "hunter2"]
        let error = #expect(throws: ConfigurationError.self) { try fixture.load(table: table) }
        #expect(error?.description.contains("a.secret: '***' (SECRET in the environment)") == true)
        #expect(error?.description.contains("hunter2") == false)

        fixture.environment = ["SECRET": "7"]
        let values = try fixture.load(table: table).provenance
        let line = values.description.split(separator: "\n").last.map(String.init) ?? ""
        #expect(line.hasPrefix("a.secret "))
        #expect(line.contains(" *** "))
        #expect(line.hasSuffix(" SECRET in the environment"))

        let layer = ConfigurationLayer(
            source: .environment, entries: ["a.secret": .init(text: "hunter2", origin: .environment("SECRET"))])
        #expect(String(reflecting: layer.provider(for: table)).contains("hunter2") == false)
        #expect(String(reflecting: layer.provider(for: .storaged)).contains("hunter2") == false)
    }

    @Test("an address with a password is shown without what follows its scheme")
    func databaseAddress() {
        #expect(Keys.databaseURL.shown("postgres://u:hunter2@h/d") == "postgres://u:***@h/d")
        #expect(Keys.databaseURL.shown("postgres://u:hun@hunter2@h/d") == "postgres:***")
        #expect(Keys.databaseURL.shown("hunter2") == "***")
        #expect(Keys.databaseURL.shown("sqlite:./data/x") == "sqlite:./data/x")
    }

    @Test("a message stays on its line and steers no terminal, whatever the value holds")
    func controlBytes() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--http-host", "a\u{1B}[2J\r\n\u{9B}b\u{202E}" + String(repeating: "x", count: 500)]
        let problem = fixture.problems().first ?? ""
        #expect(problem.contains("'a\\u{1b}[2J\\u{d}\\u{a}\\u{9b}b\\u{202e}xxx"))
        #expect(problem.utf8.allSatisfy { $0 >= 0x20 })
        #expect(problem.count < 400)
    }
}
