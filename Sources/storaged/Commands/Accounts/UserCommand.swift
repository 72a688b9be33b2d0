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
        static let configuration = CommandConfiguration(
            abstract: "Make an account, and print it.", discussion: SettingsHelp.reference)

        @Argument(help: "1 to 255 bytes without a colon, such as a name or an e-mail address")
        var login: String

        @Flag(help: "an administrator, who sees all accounts")
        var admin = false

        @Flag(help: "read the password from the first line of standard input instead of asking for it")
        var passwordStdin = false

        @Flag(help: "print one JSON object")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            let login = try Login(Array(login.utf8))
            // Said before anybody types a password for nothing.
            guard try await accounts.metadata.account(.login(login)) == nil else {
                throw StorageError(.loginTaken, "login: is taken; choose another one.")
            }
            let password = try PasswordInput.read(fromStandardInput: passwordStdin)
            let account = try await accounts.registry.add(
                login: login.bytes, password: password, role: admin ? .admin : .user)
            let name = login.description.escapedForDisplay
            try await accounts.show(account, json: json) { _ in "made \(account.role.rawValue) \(name) \(account.id)" }
        }
    }

    /// Shows all accounts.
    struct List: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show all accounts, with what they hold.", discussion: SettingsHelp.reference)

        @Flag(help: "print one JSON object a line")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            var table = AccountLine.table
            try await accounts.metadata.forEachAccount { account in
                let line = try await accounts.line(of: account)
                if json { try StandardOutput.write(line: JSONLine.text(of: line)) } else { line.add(to: &table) }
            }
            if !json { try StandardOutput.write(line: table.text) }
        }
    }

    /// Switches an account off.
    struct Disable: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Switch an account off: nobody can sign in or use its tokens.",
            discussion: SettingsHelp.reference)

        @Argument(help: "login or id")
        var account: String

        @Flag(help: "print one JSON object")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            try await accounts.registry.setDisabled(true, of: accounts.named(account))
            try await accounts.show(accounts.named(account), json: json) { _ in "disabled \(account.escapedForDisplay)"
            }
        }
    }

    /// Switches an account on again.
    struct Enable: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Switch an account on again.", discussion: SettingsHelp.reference)

        @Argument(help: "login or id")
        var account: String

        @Flag(help: "print one JSON object")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            try await accounts.registry.setDisabled(false, of: accounts.named(account))
            try await accounts.show(accounts.named(account), json: json) { _ in "enabled \(account.escapedForDisplay)" }
        }
    }

    /// Deletes an account with everything that it has.
    struct Delete: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an account with all its files; there is no way back.",
            discussion: SettingsHelp.reference)

        @Argument(help: "login or id")
        var account: String

        @Flag(help: "do not ask")
        var yes = false

        @Flag(help: "print one JSON object: the account as it was")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            let found = try await accounts.named(account)
            let line = try await accounts.line(of: found)
            let what = "\(account.escapedForDisplay) with \(line.files) files (\(ByteText.of(line.bytes)))"
            guard yes || Question.isConfirmed("Delete \(what)?") else {
                throw CommandFailure(description: "nothing was deleted; say --yes to delete \(what)")
            }
            try await accounts.registry.delete(found)
            try StandardOutput.write(line: json ? JSONLine.text(of: line) : "deleted \(what)")
        }
    }

    /// Replaces a password.
    struct Password: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account another password; all its tokens end.", discussion: SettingsHelp.reference)

        @Argument(help: "login or id")
        var account: String

        @Flag(help: "read the password from the first line of standard input instead of asking for it")
        var passwordStdin = false

        @Flag(help: "print one JSON object")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            let found = try await accounts.named(account)
            // Said before anybody types a password for nothing.
            guard try await accounts.metadata.account(.id(found.id))?.passwordHash != nil else {
                throw StorageError(.unprocessable, "account: has no password.")
            }
            try await accounts.registry.setPassword(PasswordInput.read(fromStandardInput: passwordStdin), of: found)
            try await accounts.show(found, json: json) { _ in "changed the password of \(account.escapedForDisplay)" }
        }
    }

    /// Shows or sets what an account may store.
    struct Quota: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show or set what an account may store.",
            discussion: """
                'none' lifts the limit for this account; 'default' leaves it to the settings limits.quota, \
                limits.container-quota and limits.files: as this command sees them, so give them in a file that the \
                daemon reads too, not by flags of serve. \(SettingsHelp.reference)
                """)

        @Argument(help: "login or id")
        var account: String

        @Option(help: "a size such as 10GiB, none, or default", transform: { try CommandValue.limit($0, isSize: true) })
        var bytes: QuotaLimit?

        @Option(help: "a number of files, none, or default", transform: { try CommandValue.limit($0, isSize: false) })
        var files: QuotaLimit?

        @Flag(help: "print one JSON object")
        var json = false

        func run(_ accounts: OpenAccounts) async throws {
            let found = try await accounts.named(account)
            if bytes != nil || files != nil {
                var limits = found.container.limits
                if let bytes { limits.bytes = bytes.value }
                if let files { limits.files = files.value }
                try await accounts.registry.setLimits(limits, of: found)
            }
            try await accounts.show(accounts.named(account), json: json) { line in
                "\(account.escapedForDisplay): \(line.quota); \(line.files) files, \(ByteText.of(line.bytes)),"
                    + " older revisions \(ByteText.of(line.revisionBytes))"
            }
        }
    }
}

extension OpenAccounts {
    /// Prints an account after something was done with it.
    fileprivate func show(_ account: Account, json: Bool, text: (AccountLine) -> String) async throws {
        let line = try await line(of: account)
        try StandardOutput.write(line: json ? JSONLine.text(of: line) : text(line))
    }
}

/// What was said about one limit of an account; nil leaves it to the settings.
struct QuotaLimit: Sendable, Equatable {
    let value: Int64?
}
