import Testing

@testable import storaged

@Suite("The address of a PostgreSQL database")
struct PostgresConfigurationTests {
    @Test(
        "is shown without what is secret in it",
        arguments: [
            ("postgres://u:hunter2@h/d", "postgres://u:***@h/d"),
            ("postgresql://u:hun%402@[::1]:5433,h2/d?sslmode=allow", "u:***@[::1]:5433,h2/d?sslmode=allow"),
            ("postgres://h/d?user=u&password=hunter2", "postgres://h/d?user=u&password=***"),
            ("postgres://h/d?%70assword=hunter2", "postgres://h/d?%70assword=***"),
            ("postgres://h/d?sslpassword=hunter2&sslkey=a.key", "postgres://h/d?sslpassword=***&sslkey=a.key"),
            ("PostgreSQL://u:a:b@h", "postgresql://u:***@h"),
        ])
    func redaction(text: String, shown: String) throws {
        let url = try #require(PostgresURL(text))
        #expect(url.hasSecret)
        for description in [url.description, "\(url)", String(reflecting: [url]), Keys.databaseURL.shown(text)] {
            #expect(description.contains(shown))
            #expect(!description.contains("hun"))
        }
        var dumped = ""
        dump(StoragedConfiguration.Database.Location.postgres(url), to: &dumped)
        #expect(!dumped.contains("hun"))
    }

    @Test(
        "may have no password, and is shown whole then",
        arguments: [
            "postgres://h/d", "postgres://u@h:5432/d", "postgres:///d?host=/run/postgresql", "postgresql://",
            "postgres://u@%2Frun%2Fpostgresql:5433/d?application_name=a",
        ])
    func noSecret(text: String) throws {
        let url = try #require(PostgresURL(text))
        #expect(!url.hasSecret)
        #expect(url.description == text)
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--database-url", text]
        #expect(try fixture.load().database.location == .postgres(url))
    }

    @Test(
        "means one thing only: what else could be meant has to be percent-encoded",
        arguments: [
            "", "postgres", "postgres:", "postgres:h/d", "postgres:/h/d", "mysql://h/d", "postgresql+psycopg2://h/d",
            "postgres://u:p@ss@h/d", "postgres://u:pa/ss@h/d", "postgres://u:12/b@h/d", "postgres://u:pa?ss@h/d",
            "postgres://u:p%zz@h/d", "postgres://u:p%00@h/d", "postgres://u:p%4@h/d", "postgres://h:0/d",
            "postgres://h:65536/d", "postgres://h:x/d", "postgres://h:/d", "postgres://[::1/d", "postgres://[::1]5/d",
            "postgres://h/a/b", "postgres://h/a b", "postgres://h/d?a", "postgres://h/d?a=b=c", "postgres://h/d?=b",
            "postgres://h/d\n",
        ])
    func ambiguous(text: String) {
        #expect(PostgresURL(text) == nil)
    }

    @Test(
        "is made of the variables that the container image has, wherever each is given, with the image's defaults",
        arguments: [
            (["POSTGRES_HOST": "db.example"], "postgres://postgres@db.example:5432/postgres"),
            (["POSTGRES_USER": "ada"], "postgres://ada@localhost:5432/ada"),
            (["POSTGRES_DB": "files", "POSTGRES_db": "other"], "postgres://postgres@localhost:5432/files"),
            (["POSTGRES_db": "files", "POSTGRES_PORT": "5433"], "postgres://postgres@localhost:5433/files"),
            (
                ["POSTGRES_PASSWORD": "p@:/ ?ö%"],
                "postgres://postgres:p%40%3A%2F%20%3F%C3%B6%25@localhost:5432/postgres"
            ),
            (["POSTGRES_HOST": "::1"], "postgres://postgres@[::1]:5432/postgres"),
            (["POSTGRES_HOST": "[::1]"], "postgres://postgres@[::1]:5432/postgres"),
            (["POSTGRES_HOST": "/run/postgresql"], "postgres://postgres@%2Frun%2Fpostgresql:5432/postgres"),
        ])
    func variables(environment: [String: String], url: String) throws {
        let fixture = try ConfigurationFixture()
        fixture.environment = environment
        let configuration = try fixture.load()
        #expect(configuration.database.location == .postgres(try #require(PostgresURL(url))))
        let origin = configuration.provenance.value(named: "database.url")?.origin
        #expect(origin?.description == "POSTGRES_* in the environment")
        #expect(configuration.blobs.store == .disk)
        #expect(configuration.notices.isEmpty)
    }

    @Test("takes each part from the strongest source that gives it")
    func sources() throws {
        let fixture = try ConfigurationFixture()
        fixture.environment = ["POSTGRES_HOST": "h", "POSTGRES_PASSWORD": ""]
        try fixture.write("POSTGRES_HOST=other\nPOSTGRES_PASSWORD=hunter2\n", to: ".env")
        let configuration = try fixture.load()
        let url = try #require(PostgresURL("postgres://postgres:hunter2@h:5432/postgres"))
        #expect(configuration.database.location == .postgres(url))
        let printed = configuration.provenance.description
        #expect(printed.contains(" postgres://postgres:***@h:5432/postgres "))
        #expect(printed.contains(" POSTGRES_* in the environment and .env\n"))
        #expect(!printed.contains("hunter2"))
        #expect(!"\(configuration)".contains("hunter2"))
    }

    @Test("counts whole where any source gives it, and the start says which variables have no effect")
    func precedence() throws {
        let fixture = try ConfigurationFixture()
        try fixture.write("database.url: postgres://h/d\n", to: "c.yaml")
        fixture.environment = ["CONFIG_PATH": "c.yaml", "POSTGRES_PORT": "nonsense", "POSTGRES_DB": "other"]
        let configuration = try fixture.load()
        #expect(configuration.database.location == .postgres(try #require(PostgresURL("postgres://h/d"))))
        #expect(
            configuration.notices == [
                "POSTGRES_PORT in the environment has no effect: database.url (c.yaml, line 1) is given",
                "POSTGRES_DB in the environment has no effect: database.url (c.yaml, line 1) is given",
            ])
    }

    @Test("its password is marked secret in what the configuration library sees")
    func provider() {
        for text in ["postgres://u:hunter2@h/d", "postgres://u:hun@ter2@h"] {
            let layer = ConfigurationLayer(
                source: .environment,
                entries: ["database.url": .init(text: text, origin: .environment("DATABASE_URL"))])
            #expect(!String(reflecting: layer.provider(for: .storaged)).contains("hun"))
        }
    }

    @Test("has a pool, set by names of its own or by those of the assignment")
    func pool() throws {
        let pool = StoragedConfiguration.Database.Pool(
            size: 12, maxOverflow: 0, timeout: .milliseconds(500), recycle: nil, prePing: false, useLIFO: false)
        let fixture = try ConfigurationFixture()
        fixture.environment = [
            "DATABASE_URL": "postgres://h/d", "POOL_SIZE": "12", "MAX_OVERFLOW": "0", "POOL_TIMEOUT": "500ms",
            "POOL_RECYCLE": "-1", "POOL_PRE_PING": "False", "POOL_USE_LIFO": "no",
        ]
        #expect(try fixture.load().database.pool == pool)
        fixture.environment = ["DATABASE_URL": "postgres://h/d", "POOL_SIZE": "1", "DATABASE_POOL_SIZE": "12"]
        fixture.arguments = [
            "--database-pool-max-overflow=0", "--database-pool-timeout", "500ms", "--database-pool-recycle", "-1",
            "--database-pool-pre-ping=0", "--database-pool-use-lifo", "off",
        ]
        let configuration = try fixture.load()
        #expect(configuration.database.pool == pool)
        #expect(configuration.notices.isEmpty)
    }

    @Test("a pool has no effect on another database, and the start says so")
    func needlessPool() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--database-pool-size", "12"]
        fixture.environment = ["POOL_RECYCLE": "60"]
        #expect(
            try fixture.load().notices == [
                "database.pool.size (--database-pool-size) has no effect: the database is not PostgreSQL",
                "database.pool.recycle (POOL_RECYCLE in the environment) has no effect: the database is not PostgreSQL",
            ])
    }
}
