import ArgumentParser
import StorageCore

/// `storaged token …`: what programs sign in with.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Tokens of accounts, and of containers; beside a running daemon or without one.",
        discussion: SettingsHelp.reference, subcommands: [Add.self, List.self, Revoke.self])
}

extension TokenCommand {
    /// Hands out a token.
    struct Add: AccountCommand {
        static let configuration = CommandConfiguration(
            account: "Make a token and print it: the only time that it can be seen.",
            discussion: """
                For an account: an Authorization: Bearer token that lasts as long as auth.token-lifetime and \
                auth.token-idle say. With --container: a random X-Auth-Token with a container of its own, which is \
                known from then on where auth.containers is 'known'; with --token-stdin besides, a UUID of your own, \
                which is never an argument, because everybody on the machine can read those.
                """)

        @Argument(help: "login or id of the account; none with --container")
        var account: String?

        @Option(help: "what the token is for, as token list shows it")
        var label: String?

        @Flag(help: "a token for a container instead of an account")
        var container = false

        @Flag(
            help: "with --container: read the UUID from the first line of standard input, or ask for it on a terminal")
        var tokenStdin = false

        @OptionGroup var output: OutputFormat

        /// A token in its only moment.
        struct Outcome: Encodable {
            let token: String
            let account: String
            /// Seconds.
            @ExplicitNull var expiresIn: Int64?
        }

        func validate() throws {
            if !container, account == nil { throw ValidationError("Name the account, or say --container.") }
            if container, account != nil {
                throw ValidationError(
                    "A container's token is no argument, which everybody on the machine can read: say --token-stdin.")
            }
            if container, label != nil { throw ValidationError("A container's token has no label.") }
            if !container, tokenStdin { throw ValidationError("--token-stdin needs --container.") }
        }

        func run(_ accounts: OpenAccounts) async throws {
            // Read before anything is made.
            let token = try container ? chosenToken() : nil
            let outcome =
                if let token { try await makeKnown(token, accounts) } else { try await issue(accounts) }
            do throws(CommandFailure) {
                try StandardOutput.write(line: output.json ? text(of: outcome) : outcome.token)
            } catch {
                throw CommandFailure(
                    description:
                        "\(error.description): the token was made for the account \(outcome.account), but nobody"
                        + " has seen it; revoke it, and make another one", exitStatus: error.exitStatus)
            }
        }

        private func text(of outcome: Outcome) throws(CommandFailure) -> String {
            do { return try JSONLine.text(of: outcome) } catch { throw CommandFailure(description: "\(error)") }
        }

        private func issue(_ accounts: OpenAccounts) async throws -> Outcome {
            let account = try await accounts.named(account ?? "")
            guard account.kind == .registered else {
                throw CommandFailure(description: "only a registered account can have tokens beside its own")
            }
            let token = try await accounts.registry.issueToken(for: account, label: label)
            return Outcome(token: token.text, account: account.id.description, expiresIn: token.lifetime)
        }

        private func chosenToken() throws -> ContainerToken {
            let uuid = tokenStdin ? Identifier<ContainerToken>(text: try PasswordInput.readToken()) : .random()
            guard let uuid, let token = ContainerToken(uuid) else {
                throw CommandFailure(
                    description: "that is no token of a container; give a UUID such as \(Identifier<Self>.random())",
                    exitStatus: .usage)
            }
            return token
        }

        private func makeKnown(_ token: ContainerToken, _ accounts: OpenAccounts) async throws -> Outcome {
            let account = try await accounts.registry.add(token)
            return Outcome(token: token.uuid.description, account: account.id.description, expiresIn: nil)
        }
    }

    /// Shows the tokens of an account.
    struct List: AccountCommand {
        static let configuration = CommandConfiguration(account: "Show the tokens of an account, without their secret.")

        @OptionGroup var target: AccountArgument
        @OptionGroup var output: OutputFormat

        func run(_ accounts: OpenAccounts) async throws {
            let id = try await target.find(in: accounts).id
            try await output.writeTable(of: TokenLine.self) { write in
                var last: CredentialID?
                var page: Page<StoredCredential>
                repeat {
                    page = try await accounts.registry.credentials(of: id, after: last, limit: 500)
                    for credential in page.entries { try write(TokenLine(credential)) }
                    last = page.entries.last?.id ?? last
                } while page.hasMore
            }
        }
    }

    /// Ends a token.
    struct Revoke: AccountCommand {
        static let configuration = CommandConfiguration(
            account: "End a token: it is refused everywhere within a second.")

        @OptionGroup var target: AccountArgument

        @Argument(help: "the ids of the tokens, as token list shows them")
        var tokens: [String]

        @OptionGroup var output: OutputFormat

        /// A token that has ended.
        struct Outcome: Encodable {
            let id: String
            let account: String
        }

        func run(_ accounts: OpenAccounts) async throws {
            // All are read before one is ended; what is no id may be a token itself, and is not repeated.
            let ids = try tokens.map { token in
                guard let id = CredentialID(text: Array(token.utf8)) else {
                    throw CommandFailure(
                        description: "one of the arguments is no id of a token; storaged token list shows the ids",
                        exitStatus: .usage)
                }
                return id
            }
            let found = try await target.find(in: accounts)
            for id in ids {
                try await accounts.registry.revoke(id, of: found)
                let outcome = Outcome(id: id.description, account: found.id.description)
                try output.write(outcome, "revoked \(id)")
            }
        }
    }
}
