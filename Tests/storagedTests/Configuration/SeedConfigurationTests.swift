import Foundation
import StorageCore
import Testing

@testable import storaged

/// The example of an assignment, word for word.
struct SeedExample: CustomTestStringConvertible, Sendable {
    let name: String
    /// Everything that it says.
    let variables: [String: String]
    /// Where it asks for a service.
    let places: [String]
    /// Whether those still have to be filled in; each place is refused before.
    var hasPlaceholders = false
    /// What decides by hand for something else, so that the rest can stay.
    let otherwise: [String]

    var testDescription: String { name }

    var text: String {
        get throws {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            return try String(
                contentsOf: folder.appendingPathComponent("../../Fixtures/Seeds/\(name).dotenv"), encoding: .utf8)
        }
    }

    static let all = [
        SeedExample(
            name: "001",
            variables: [
                "ACCESS_KEY": "<ваш access key>", "SECRET_KEY": "<ваш secret key>",
                "ENDPOINT_URL": "<путь до s3 хранилища>", "BUCKET_NAME": "<имя вашего S3-бакета>",
            ],
            places: [
                "ENDPOINT_URL in .env, line 3", "BUCKET_NAME in .env, line 4", "ACCESS_KEY in .env, line 1",
                "SECRET_KEY in .env, line 2",
            ],
            hasPlaceholders: true,
            otherwise: ["--blobs-store", "disk"]),
        SeedExample(
            name: "003",
            variables: [
                "FLASK_ENV": "production", "POSTGRES_HOST": "localhost", "POSTGRES_PORT": "5432",
                "POSTGRES_USER": "admin", "POSTGRES_PASSWORD": "admin", "POSTGRES_db": "db", "LOG_FILE": "app.log",
                "POOL_SIZE": "6", "MAX_OVERFLOW": "4", "POOL_PRE_PING": "True", "POOL_RECYCLE": "300",
                "POOL_USE_LIFO": "True", "POOL_TIMEOUT": "30", "ADMIN_EMAIL": "admin@gmail.com",
                "ADMIN_PASSWORD": "admin@gmail.com",
            ],
            places: [
                "POSTGRES_HOST in .env, line 6", "POSTGRES_PORT in .env, line 7", "POSTGRES_USER in .env, line 8",
                "POSTGRES_PASSWORD in .env, line 9", "POSTGRES_db in .env, line 10",
            ],
            otherwise: ["--database-url", "sqlite:data/storaged.sqlite"]),
        SeedExample(
            name: "004",
            variables: [
                "BUCKET": "<S3-bucket-name>", "AWS_ACCESS_KEY_ID": "<AWS_KEY_ID>",
                "AWS_SECRET_ACCESS_KEY": "<AWS_SECRET_KEY>",
            ],
            places: ["BUCKET in .env, line 1"],
            hasPlaceholders: true,
            otherwise: ["--blobs-store", "disk"]),
    ]
}

@Suite("The configuration examples of the assignments")
struct SeedConfigurationTests {
    @Test("read as they stand, whatever stands round the equals sign and behind the value", arguments: SeedExample.all)
    func reading(example: SeedExample) throws {
        let file = DotEnvFile(Array(try example.text.utf8), name: ".env")
        #expect(file.problems.isEmpty)
        #expect(file.variables.mapValues(\.text) == example.variables)
    }

    @Test(
        "read the same with line ends of Windows, quotes, and without the last line end", arguments: SeedExample.all)
    func spellings(example: SeedExample) throws {
        let lines = try example.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let quoted = lines.map { line in
            guard let equals = line.firstIndex(of: "="), !line.hasPrefix("#") else { return line }
            let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            return "export \(line[..<equals])= \"\(value)\"\t# as in the manual"
        }
        for text in [
            lines.joined(separator: "\r\n"), quoted.joined(separator: "\n"),
            "\u{FEFF}" + lines.joined(separator: "\n"),
            String(try example.text.dropLast()),
        ] {
            let file = DotEnvFile(Array(text.utf8), name: ".env")
            #expect(file.problems.isEmpty)
            #expect(file.variables.mapValues(\.text) == example.variables)
        }
    }

    @Test(
        "are refused by the places alone that have not been filled in",
        arguments: SeedExample.all.filter(\.hasPlaceholders))
    func asItStands(example: SeedExample) throws {
        let fixture = try ConfigurationFixture()
        try fixture.write(try example.text, to: ".env")
        let problems = fixture.problems()
        #expect(problems.count == example.places.count, "\(problems)")
        for place in example.places { #expect(problems.contains { $0.contains(place) }, "\(place)") }
        let program = try Program(["serve"], in: fixture.directory)
        #expect(program.status == 78)
        for secret in ["admin@gmail.com", "<AWS_SECRET_KEY>", "<ваш secret key>"] {
            #expect(!program.errors.contains(secret))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [".env"])
    }

    @Test("name a database of PostgreSQL and its pool, which are what the daemon then uses")
    func postgres() throws {
        let example = try #require(SeedExample.all.first { $0.name == "003" })
        let fixture = try ConfigurationFixture()
        try fixture.write(try example.text, to: ".env")
        let configuration = try fixture.load()
        let url = try #require(PostgresURL("postgres://admin:admin@localhost:5432/db"))
        #expect(configuration.database.location == .postgres(url))
        #expect(
            configuration.database.pool
                == .init(
                    size: 6, maxOverflow: 4, timeout: .seconds(30), recycle: .seconds(300), prePing: true,
                    useLIFO: true))
        #expect(configuration.provenance.value(named: "database.url")?.origin.description == "POSTGRES_* in .env")
        #expect(configuration.log.file == "app.log")
        #expect(configuration.notices == [])
    }

    @Test(
        "name a bucket and what opens it, once they are filled in",
        arguments: [
            (
                "001",
                ["<ваш access key>": "AK", "<ваш secret key>": "s+/=", "<путь до s3 хранилища>": "http://s3:9000"],
                "http://s3:9000"
            ),
            ("004", ["<AWS_KEY_ID>": "AK", "<AWS_SECRET_KEY>": "s+/="], nil),
        ] as [(String, [String: String], String?)])
    func bucket(name: String, values: [String: String], endpoint: String?) throws {
        let example = try #require(SeedExample.all.first { $0.name == name })
        let bucket = ["<имя вашего S3-бакета>": "files", "<S3-bucket-name>": "files"]
        let text = values.merging(bucket) { $1 }.reduce(try example.text) {
            $0.replacingOccurrences(of: $1.key, with: $1.value)
        }
        let fixture = try ConfigurationFixture()
        try fixture.write(text, to: ".env")
        let configuration = try fixture.load()
        let key = { (text: String) in SecretText(bytes: Array(text.utf8)) }
        #expect(configuration.blobs.store == .s3)
        #expect(
            configuration.s3
                == .init(
                    endpoint: endpoint, region: "us-east-1", bucket: "files", prefix: "", accessKey: key("AK"),
                    secretKey: key("s+/="), sessionToken: nil, isPathStyle: true))
        #expect(configuration.notices.isEmpty)
    }

    @Test("say the rest, once somebody has decided otherwise by hand", arguments: SeedExample.all)
    func decidedByHand(example: SeedExample) throws {
        let fixture = try ConfigurationFixture()
        try fixture.write(try example.text, to: ".env")
        fixture.arguments = example.otherwise
        let configuration = try fixture.load()
        let noticed = configuration.notices.joined(separator: "\n")
        for place in example.places { #expect(noticed.contains(place), "\(place)") }
        for secret in ["<AWS_SECRET_KEY>", "<ваш secret key>"] { #expect(!noticed.contains(secret)) }
        #expect(configuration.administrator?.login.description == example.variables["ADMIN_EMAIL"])
        #expect(
            configuration.administrator?.password.bytes == example.variables["ADMIN_PASSWORD"].map { Array($0.utf8) })
    }

    @Test("name a YAML file in a folder of the working directory: CONFIG_PATH=configs/config.yaml")
    func configPath() throws {
        let fixture = try ConfigurationFixture()
        try FileManager.default.createDirectory(
            atPath: fixture.directory + "/configs", withIntermediateDirectories: false)
        try fixture.write(
            """
            # The database
            database:
              url: "sqlite:./data/files.sqlite"   # its place
            http: {port: 9000}
            revisions.keep: 3

            """, to: "configs/config.yaml")
        fixture.environment["CONFIG_PATH"] = "configs/config.yaml"
        let configuration = try fixture.load()
        #expect(configuration.database.location == .sqlite(path: "./data/files.sqlite"))
        #expect(configuration.http.port == 9000)
        #expect(configuration.revisions.keep == 3)
    }
}
