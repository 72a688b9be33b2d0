import Testing

@testable import storaged

@Suite("Settings on the command line")
struct CommandLineSplitTests {
    @Test(
        "settings are taken out and the rest keeps its order",
        arguments: [
            ([], [:], []),
            (["serve"], [:], ["serve"]),
            (["--http-port", "9000", "serve"], ["http.port": "9000"], ["serve"]),
            (["serve", "--http-port=9000"], ["http.port": "9000"], ["serve"]),
            (["migrate", "--data-directory", "serve", "up"], ["data.directory": "serve"], ["migrate", "up"]),
            (["--http-port=1", "--http-port", "2"], ["http.port": "2"], []),
            (["--http-port="], ["http.port": ""], []),
            (["--database-url=sqlite:a=b"], ["database.url": "sqlite:a=b"], []),
            (["--revisions-keep", "-5"], ["revisions.keep": "-5"], []),
            (["serve", "--", "--http-port", "9000"], [:], ["serve", "--", "--http-port", "9000"]),
            (["--help", "--http-port", "1"], ["http.port": "1"], ["--help"]),
            (["-h"], [:], ["-h"]), (["-"], [:], ["-"]),
        ] as [([String], [String: String], [String])])
    func split(arguments: [String], settings: [String: String], rest: [String]) {
        let split = CommandLineSplit(arguments)
        #expect(split.problems == [])
        #expect(split.layer.entries.mapValues(\.text) == settings)
        #expect(split.rest == rest)
    }

    @Test("the YAML file is named once, in either spelling", arguments: [["--config", "a.yaml"], ["--config=a.yaml"]])
    func configPath(arguments: [String]) {
        #expect(CommandLineSplit(arguments).configPath == "a.yaml")
    }

    @Test(
        "a flag that nobody knows is a problem that names the nearest",
        arguments: [
            (["--htp-port", "1"], "--http-port"), (["--httpport=secret"], "--http-port"),
            (["--log-levle=info"], "--log-level"),
            (["--confg", "x"], "--config"), (["-p", "80"], "-p"), (["--http.port", "1"], "--http-port"),
            (["--HTTP-PORT", "1"], "did you mean --http-port?"),
            (["--postgres-host", "x"], "'--postgres-host' is not a known setting"),
            (["--scrub-rte", "x"], "'--scrub-rte' is not a known setting"),
        ])
    func unknown(arguments: [String], nearest: String) {
        let problems = CommandLineSplit(arguments).problems.map(\.description)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(nearest) == true)
        #expect(problems.first?.contains("secret") == false)
    }

    @Test(
        "a flag without its value is a problem",
        arguments: [["--http-port"], ["--http-port", "--log-level", "info"], ["--config"]])
    func missingValue(arguments: [String]) {
        let split = CommandLineSplit(arguments)
        #expect(split.problems.first?.description.contains("needs a value: write \(arguments[0]) <value>") == true)
    }

    @Test(
        "a secret is no flag, and the refusal says where it belongs",
        arguments: [["--admin-password", "hunter2"], ["--admin-password=hunter2"]])
    func secrets(arguments: [String]) {
        let split = CommandLineSplit(["serve"] + arguments + ["--http-port", "1"])
        let problem = split.problems.first?.description ?? ""
        #expect(split.problems.count == 1)
        for words in ["--admin-password", "ADMIN_PASSWORD", ".env", "admin.password in the YAML file"] {
            #expect(problem.contains(words))
        }
        #expect(!problem.contains("hunter2"))
        #expect(split.layer.entries.keys.sorted() == ["http.port"])
        #expect(split.rest == ["serve"])
    }

    @Test("every key has a flag, a variable and a dotted name of its own, and a default that it accepts")
    func table() throws {
        let table = ConfigurationTable.storaged
        let names = table.keys.map(\.name) + table.unavailable.map(\.name)
        #expect(Set(names).count == names.count)
        let variables =
            table.keys.flatMap { [$0.environmentName] + $0.aliases }
            + table.unavailable.map(\.environmentName)
        #expect(Set(variables).count == variables.count)
        #expect(Keys.blobsVerifyReads.environmentName == "BLOBS_VERIFY_READS")
        #expect(Keys.blobsVerifyReads.flag == "--blobs-verify-reads")
        let context = DefaultContext(dataDirectory: "./data", databaseURL: nil, blobsStore: nil, isTerminal: true)
        for key in table.keys {
            #expect(throws: Never.self) { try key.check(key.fallback.text(in: context)) }
            #expect(key.help.isEmpty == false && key.help.count <= 72, "\(key.name): \(key.help.count)")
            #expect(SettingsHelp.text.contains("  \(key.isSecret ? key.environmentName : key.flag) "))
        }
    }
}
