import ArgumentParser
import StorageCore

/// The account that a command is for.
struct AccountArgument: ParsableArguments {
    @Argument(help: "login or id")
    var account: String

    /// The account, looked up anew.
    func find(in accounts: OpenAccounts) async throws -> Account {
        try await accounts.named(account)
    }

    /// What was typed, in a message.
    var shown: String { account.escapedForDisplay }
}

/// Where a command gets a new password from.
struct PasswordArgument: ParsableArguments {
    @Flag(help: "read the password from the first line of standard input instead of asking for it")
    var passwordStdin = false

    func read() throws(CommandFailure) -> [UInt8] {
        try PasswordInput.read(fromStandardInput: passwordStdin)
    }
}

extension CommandConfiguration {
    /// The words of a command that works with accounts: where settings are explained is said at the end.
    init(account abstract: String, discussion: String = "") {
        let reference = SettingsHelp.reference
        self.init(abstract: abstract, discussion: discussion.isEmpty ? reference : "\(discussion) \(reference)")
    }
}
