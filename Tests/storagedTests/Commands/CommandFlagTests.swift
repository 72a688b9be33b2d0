import Foundation
import Testing

@testable import storaged

@Suite("Flags of commands")
struct CommandFlagTests {
    @Test("are no settings, and stay where they are among settings with their values")
    func split() {
        let settings = Set(ConfigurationTable.storaged.names.map(\.flagSpelling))
        for flag in CommandFlag.all {
            #expect(!settings.contains(flag.name))
            let given = flag.takesValue ? [flag.name, "value"] : [flag.name]
            let split = CommandLineSplit(["x", "--http-port", "1"] + given + ["--log-level=info", "y"])
            #expect(split.problems == [])
            #expect(split.rest == ["x"] + given + ["y"])
            #expect(split.layer.entries.keys.sorted() == ["http.port", "log.level"])
        }
    }

    @Test("that are misspelt are named with the nearest")
    func misspelt() {
        let problems = CommandLineSplit(["import", "--dryrun"]).problems.map(\.description)
        #expect(problems.count == 1)
        #expect(problems.first?.hasSuffix("did you mean --dry-run?") == true)
    }

    @Test("of all commands are exactly those of the list")
    func complete() throws {
        struct Dump: Decodable {
            struct Command: Decodable {
                var arguments: [Argument]?
                var subcommands: [Command]?
                var all: [Argument] { (arguments ?? []) + (subcommands ?? []).flatMap(\.all) }
            }
            struct Argument: Decodable {
                struct Name: Decodable {
                    var kind: String
                    var name: String
                }
                var kind: String
                var names: [Name]?
            }
            var command: Command
        }
        let output = try Program(["--experimental-dump-help"], in: NSTemporaryDirectory()).output
        let dump = try JSONDecoder().decode(Dump.self, from: Data(output.utf8))
        let used = Set(
            dump.command.all.flatMap { argument in
                (argument.names ?? []).map { name in
                    "\(name.kind == "long" ? "--" : "-")\(name.name)\(argument.kind == "option" ? " value" : "")"
                }
            })
        let hidden = ["-help", "--help-hidden", "--experimental-dump-help", "--generate-completion-script value"]
        let listed = Set(CommandFlag.all.map { $0.name + ($0.takesValue ? " value" : "") }).subtracting(hidden)
        #expect(used.subtracting(hidden) == listed)
    }
}

@Suite("Help of commands")
struct CommandHelpTests {
    @Test(
        "names every flag of the command and says that settings work too",
        arguments: [
            (["gc"], ["--grace", "--json"]),
            (["import"], ["<folder>", "--account", "--to", "--dry-run", "--json", "byte for byte"]),
            (["copy-blobs"], ["--from", "--to", "--json"]),
            (["copy-metadata"], ["--from", "--to", "--wait", "--give-up", "--json", "PGPASSWORD"]),
        ])
    func help(command: [String], words: [String]) throws {
        let byWord = try Program(["help"] + command, in: NSTemporaryDirectory())
        let byFlag = try Program(command + ["--help", "--data-directory", "x"], in: NSTemporaryDirectory())
        #expect(byWord.status == 0)
        #expect(byWord.output == byFlag.output)
        for word in words + ["--data-directory"] { #expect(byWord.output.contains(word), "\(word)") }
    }
}
