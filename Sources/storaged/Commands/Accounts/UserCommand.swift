import ArgumentParser
import StorageCore

/// `storaged user …`: the accounts.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Accounts; beside a running daemon or without one.",
        discussion: "An account is named by its login, or by its id. \(SettingsHelp.reference)",
        subcommands: [
            Add.self, List.self, Disable.self, Enable.self, Delete.self, Password.self, Quota.self,
        ])
}

extension UserCommand {
    /// Makes an account, whoever may register.
    struct Add: AccountCommand {
        static let configuration = CommandConfiguration(account: "Make an account, and print it.")

        @Argument(help: "1 to 255 bytes without a colon, such as a name or an e-mail address")
        var login: String

        @Flag(help: "an administrator, who sees all accounts")
        var admin = false

        @OptionGroup var password: PasswordArgument
        @OptionGroup var output: OutputFormat

        func run(_ accounts: OpenAccounts) async throws {
            let login = try Login(Array(login.utf8))
            // Said before anybody types a password for nothing.
            guard try await accounts.metadata.account(.login(login)) == nil else {
                throw StorageError(.loginTaken, "login: is taken; choose another one.")
            }
            let password = try password.read()
            let account = try await accounts.registry.add(
                login: login.bytes, password: password, role: admin ? .admin : .user)
            let name = login.description.escapedForDisplay
            try await accounts.show(account, output) { _ in "made \(account.role.rawValue) \(name) \(account.id)" }
        }
    }

    /// Shows all accounts.
    struct List: AccountCommand {
        static let configuration = CommandConfiguration(account: "Show all accounts, with what they hold.")

        @OptionGroup var output: OutputFormat

        func run(_ accounts: OpenAccounts) async throws {
            try await output.writeTable(of: AccountLine.self) { write in
                try await accounts.metadata.forEachAccount { try await write(accounts.line(of: $0)) }
            }
        }
    }

    /// Switches an account off.
    struct Disable: SwitchCommand {
        static let configuration = CommandConfiguration(
            account: "Switch an account off: nobody can sign in or use its tokens.")
        static let turnsOff = true

        @OptionGroup var target: AccountArgument
        @OptionGroup var output: OutputFormat
    }

    /// Switches an account on again.
    struct Enable: SwitchCommand {
        static let configuration = CommandConfiguration(account: "Switch an account on again.")
        static let turnsOff = false

        @OptionGroup var target: AccountArgument
        @OptionGroup var output: OutputFormat
    }

    /// Deletes an account with everything that it has.
    struct Delete: AccountCommand {
        static let configuration = CommandConfiguration(
            account: "Delete an account with all its files; there is no way back.")

        @OptionGroup var target: AccountArgument
        @OptionGroup var confirmation: Confirmation
        @OptionGroup var output: OutputFormat

        func run(_ accounts: OpenAccounts) async throws {
            let found = try await target.find(in: accounts)
            let line = try await accounts.line(of: found)
            let what = "\(target.shown) with \(line.files) files (\(ByteText.of(line.bytes)))"
            try confirmation.require(to: "delete", past: "deleted", what)
            try await accounts.registry.delete(found)
            try output.write(line, "deleted \(what)")
        }
    }

    /// Replaces a password.
    struct Password: AccountCommand {
        static let configuration = CommandConfiguration(
            account: "Give an account another password; all its tokens end.")

        @OptionGroup var target: AccountArgument
        @OptionGroup var password: PasswordArgument
        @OptionGroup var output: OutputFormat

        func run(_ accounts: OpenAccounts) async throws {
            let found = try await target.find(in: accounts)
            // Said before anybody types a password for nothing.
            guard try await accounts.metadata.account(.id(found.id))?.passwordHash != nil else {
                throw StorageError(.unprocessable, "account: has no password.")
            }
            try await accounts.registry.setPassword(password.read(), of: found)
            try await accounts.show(found, output) { _ in "changed the password of \(target.shown)" }
        }
    }

    /// Shows or sets what an account may store.
    struct Quota: AccountCommand {
        static let configuration = CommandConfiguration(
            account: "Show or set what an account may store.",
            discussion: """
                'none' lifts the limit for this account; 'default' leaves it to the settings limits.quota, \
                limits.container-quota and limits.files: as this command sees them, so give them in a file that the \
                daemon reads too, not by flags of serve.
                """)

        @OptionGroup var target: AccountArgument
        @Option(help: "a size such as 10GiB, none, or default", transform: { try CommandValue.limit($0, isSize: true) })
        var bytes: QuotaLimit?

        @Option(help: "a number of files, none, or default", transform: { try CommandValue.limit($0, isSize: false) })
        var files: QuotaLimit?

        @OptionGroup var output: OutputFormat

        func run(_ accounts: OpenAccounts) async throws {
            let found = try await target.find(in: accounts)
            if bytes != nil || files != nil {
                var limits = found.container.limits
                if let bytes { limits.bytes = bytes.value }
                if let files { limits.files = files.value }
                try await accounts.registry.setLimits(limits, of: found)
            }
            try await accounts.show(target.find(in: accounts), output) { line in
                "\(target.shown): \(line.quota); \(line.files) files, \(ByteText.of(line.bytes)),"
                    + " older revisions \(ByteText.of(line.revisionBytes))"
            }
        }
    }
}

/// A command that switches an account off or on.
protocol SwitchCommand: AccountCommand {
    static var turnsOff: Bool { get }
    var target: AccountArgument { get }
    var output: OutputFormat { get }
}

extension SwitchCommand {
    func run(_ accounts: OpenAccounts) async throws {
        try await accounts.registry.setDisabled(Self.turnsOff, of: target.find(in: accounts))
        try await accounts.show(target.find(in: accounts), output) { _ in
            "\(Self.turnsOff ? "disabled" : "enabled") \(target.shown)"
        }
    }
}

extension OpenAccounts {
    /// Prints an account after something was done with it.
    fileprivate func show(_ account: Account, _ output: OutputFormat, text: (AccountLine) -> String) async throws {
        let line = try await line(of: account)
        try output.write(line, text(line))
    }
}

/// What was said about one limit of an account; nil leaves it to the settings.
struct QuotaLimit: Sendable, Equatable {
    let value: Int64?
}
