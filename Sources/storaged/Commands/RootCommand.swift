import ArgumentParser
import FoundationEssentials
import Glibc

/// A command that works with a configuration.
protocol ConfiguredCommand: ParsableCommand {
    func run(_ configuration: StoragedConfiguration) async throws
}

/// `storaged`, the word before every command. Does nothing itself.
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storaged",
        abstract: "Keeps people's files and hands them back over HTTP.",
        usage: "storaged [<command>] [--<setting> <value> …] [--config <file>]",
        discussion: SettingsHelp.text,
        version: "storaged \(Storaged.version)",
        subcommands: [
            ServeCommand.self, HealthCommand.self, MigrateCommand.self, ConfigCommand.self, UserCommand.self,
            TokenCommand.self, ImportCommand.self, GCCommand.self, FsckCommand.self, CopyMetadataCommand.self,
            CopyBlobsCommand.self, OpenAPICommand.self,
        ],
        defaultSubcommand: ServeCommand.self)

    /// What may stand first on the command line.
    private static var words: [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    }

    /// Runs the command that `arguments` (without the program's name) ask for, with the configuration around the process.
    ///
    /// Settings may stand before and after the command. A setting that nobody knows is a wrong configuration, not a wrong
    /// usage; a request for help is answered whatever else is wrong.
    static func run(_ arguments: some Sequence<String>) async throws {
        let commandLine = CommandLineSplit(arguments)
        let loader = ConfigurationLoader(
            commandLine: commandLine, environment: ProcessInfo.processInfo.environment, directory: ".",
            isTerminal: isatty(STDERR_FILENO) == 1)
        if commandLine.problems.isEmpty == false, commandLine.asksForHelp == false {
            _ = try loader.load()
        }
        if let word = commandLine.rest.first, !word.hasPrefix("-"), !words.contains(word) {
            let commands = words.sorted().joined(separator: ", ")
            throw CommandFailure(
                description: "there is no command \(word.quotedForDisplay); the commands are \(commands)",
                exitStatus: .usage)
        }
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(commandLine.rest)
        } catch {
            exit(withError: error)
        }
        if let command = command as? any ConfiguredCommand {
            try await command.run(try loader.load())
        } else {
            do { try command.run() } catch { exit(withError: error) }
        }
    }
}

/// The settings as `--help` lists them.
enum SettingsHelp {
    /// For commands with flags of their own, which a long list would hide.
    static let reference =
        "Every setting works here too, such as --data-directory or --config: 'storaged help serve' lists them."

    static let text: String = {
        let rows = ConfigurationTable.storaged.keys.map { key in
            "  \(key.isSecret ? key.environmentName : key.flag) \(key.fallback.described)\n      \(key.help)"
        }
        return """
            Every setting is a flag (--http-port), a variable (HTTP_PORT, also in .env) and a key of \
            the YAML file that --config or CONFIG_PATH names (http.port); the first of these that \
            gives it counts. Secrets, and a database.url with a password in it, are no flags, which \
            everybody on the machine could read. \
            'storaged config' prints what is in force.

            SETTINGS, with their defaults:
              --config <file>
                  the YAML file
            \(rows.joined(separator: "\n"))
            """
    }()
}
