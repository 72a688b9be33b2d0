/// A flag that belongs to commands and is no setting.
///
/// The list exists because settings may stand anywhere on the command line: what is neither a setting nor one of these is a
/// wrong configuration. Which command takes which of them is up to the parser of the commands.
struct CommandFlag: Sendable {
    let name: String
    let takesValue: Bool

    private static func value(_ name: String) -> CommandFlag { CommandFlag(name: name, takesValue: true) }
    private static func mark(_ name: String) -> CommandFlag { CommandFlag(name: name, takesValue: false) }

    static let all: [CommandFlag] = [
        mark("--help"), mark("-h"), mark("--help-hidden"), mark("--version"), mark("--experimental-dump-help"),
        value("--generate-completion-script"),
        mark("--json"), value("--grace"), value("--account"), value("--to"), mark("--dry-run"),
        mark("--password-stdin"), mark("--admin"), mark("--yes"), value("--bytes"), value("--files"),
        value("--label"), mark("--container"), mark("--token-stdin"), mark("--read-data"),
        value("--from"), value("--wait"), mark("--give-up"),
    ]

    /// Those that ask for words instead of work.
    static let help: Set = [
        "--help", "-h", "--help-hidden", "--version", "--generate-completion-script", "--experimental-dump-help",
    ]
}
