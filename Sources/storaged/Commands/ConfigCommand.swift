import ArgumentParser

/// `storaged config`: what is in force, and where each value came from.
struct ConfigCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Print every setting, its value in force and its source; secrets redacted.",
        discussion: SettingsHelp.text)

    @Flag(help: "print one JSON object a line: every setting, and what has no effect")
    var json = false

    /// A setting as `--json` prints it.
    struct Setting: Encodable {
        let key: String
        let value: String
        let source: String
    }

    /// Something that was given and has no effect.
    struct Notice: Encodable {
        let notice: String
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        guard json else {
            try StandardOutput.write(line: configuration.provenance.description)
            for notice in configuration.notices { try StandardOutput.write(line: "# \(notice)") }
            return
        }
        for value in configuration.provenance.all {
            let setting = Setting(
                key: value.key.name, value: value.key.shown(value.text), source: value.origin.description)
            try StandardOutput.write(line: JSONLine.text(of: setting))
        }
        for notice in configuration.notices {
            try StandardOutput.write(line: JSONLine.text(of: Notice(notice: notice)))
        }
    }
}
