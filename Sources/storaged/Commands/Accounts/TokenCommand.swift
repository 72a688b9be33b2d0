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
            abstract: "Make a token and print it: the only time that it can be seen.",
            discussion: """
                For an account: an Authorization: Bearer token that lasts as long as auth.token-lifetime and \
                auth.token-idle say. With --container: an X-Auth-Token with a container of its own, which is known \
                from then on where auth.containers is 'known'. \(SettingsHelp.reference)
                """)

        @Argument(help: "login or id of the account; with --container, a UUID (default: a random one)")
        var subject: String?

        @Option(help: "what the token is for, as token list shows it")
        var label: String?

        @Flag(help: "a token for a container instead of an account")
        var container = false

        @Flag(help: "print one JSON object")
        var json = false

        /// A token in its only moment.
        struct Outcome: Encodable {
            let token: String
            let account: String
            /// Seconds.
            let expiresIn: Int64?
        }

        func validate() throws {
            if !container, subject == nil { throw ValidationError("Name the account, or say --container.") }
            if container, label != nil { throw ValidationError("A container's token has no label.") }
        }

        func run(_ registry: AccountRegistry, _ stores: Stores) async throws {
            let outcome = try await container ? makeKnown(registry) : issue(registry, stores)
            print(json ? try JSONLine.text(of: outcome) : outcome.token)
        }

        private func issue(_ registry: AccountRegistry, _ stores: Stores) async throws -> Outcome {
            let account = try await stores.account(named: subject ?? "")
            guard account.kind == .registered else {
                throw CommandFailure(description: "only a registered account can have tokens beside its own")
            }
            let token = try await registry.issueToken(for: account, label: label)
            return Outcome(token: token.text, account: account.id.description, expiresIn: token.lifetime)
        }

        private func makeKnown(_ registry: AccountRegistry) async throws -> Outcome {
            let uuid = subject.map { Identifier<ContainerToken>(text: Array($0.utf8)) } ?? .random()
            guard let uuid, let token = ContainerToken(uuid) else {
                throw CommandFailure(
                    description: "that is no token of a container; give a UUID such as \(Identifier<Self>.random())",
                    exitStatus: .usage)
            }
            let account = try await registry.add(token)
            return Outcome(token: uuid.description, account: account.id.description, expiresIn: nil)
        }
    }

    /// Shows the tokens of an account.
    struct List: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the tokens of an account, without their secret.", discussion: SettingsHelp.reference)

        @Argument(help: "login or id")
        var account: String

        @Flag(help: "print one JSON object a line")
        var json = false

        func run(_ registry: AccountRegistry, _ stores: Stores) async throws {
            let id = try await stores.account(named: account).id
            var table = TokenLine.table
            var last: CredentialID?
            var page: Page<StoredCredential>
            repeat {
                page = try await registry.credentials(of: id, after: last, limit: 500)
                for credential in page.entries {
                    let line = TokenLine(credential)
                    if json { print(try JSONLine.text(of: line)) } else { line.add(to: &table) }
                    last = credential.id
                }
            } while page.hasMore
            if !json { print(table.text) }
        }
    }

    /// Ends a token.
    struct Revoke: AccountCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a token: it is refused everywhere within a second.", discussion: SettingsHelp.reference)

        @Argument(help: "login or id of the account")
        var account: String

        @Argument(help: "the ids of the tokens, as token list shows them")
        var tokens: [String]

        func run(_ registry: AccountRegistry, _ stores: Stores) async throws {
            let found = try await stores.account(named: account)
            for token in tokens {
                guard let id = CredentialID(text: Array(token.utf8)) else {
                    throw CommandFailure(
                        description: "\(token.quotedForDisplay) is no id of a token", exitStatus: .usage)
                }
                try await registry.revoke(id, of: found)
                print("revoked \(id)")
            }
        }
    }
}
