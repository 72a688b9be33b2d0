import ArgumentParser
import Logging
import StorageCore

/// A command that works with accounts, for which the database alone is opened: whether the bytes can be reached makes no difference.
protocol AccountCommand: ConfiguredCommand {
    /// What it does, with a database that is open.
    func run(_ accounts: OpenAccounts) async throws
}

extension AccountCommand {
    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        try await Wiring.withMetadata(configuration) { metadata in
            try await run(OpenAccounts(metadata, configuration))
        }
    }
}

extension StoragedConfiguration {
    /// The rules of accounts, without what a daemon remembers of tokens.
    func accountRegistry(over metadata: any MetadataStore) -> AccountRegistry {
        AccountRegistry(
            metadata: metadata, hasher: PasswordHasher(),
            passwords: PasswordPolicy(minimumBytes: authentication.minimumPasswordLength), policy: accountPolicy)
    }
}

/// The accounts of a database that is open.
struct OpenAccounts: Sendable {
    let registry: AccountRegistry
    let metadata: any MetadataStore
    private let policy: FileStorage.Policy

    init(_ metadata: any MetadataStore, _ configuration: StoragedConfiguration) {
        registry = configuration.accountRegistry(over: metadata)
        self.metadata = metadata
        policy = configuration.filePolicy
    }

    func named(_ name: String) async throws -> Account {
        try await metadata.account(named: name)
    }

    /// An account as commands show it.
    func line(of account: Account) async throws -> AccountLine {
        let usage = try await metadata.usage(of: account.container.id)
        return AccountLine(account, usage, defaults: account.kind == .token ? policy.tokenLimits : policy.limits)
    }
}

extension MetadataStore {
    /// The account that somebody typed the login of, or the id: the accounts of tokens have no login.
    func account(named name: String) async throws -> Account {
        let bytes = Array(name.utf8)
        var record: AccountRecord?
        if let login = Login(presented: bytes) { record = try await account(.login(login)) }
        if record == nil, let id = AccountID(text: bytes) { record = try await account(.id(id)) }
        guard let record else {
            throw CommandFailure(
                description: "there is no account \(name.quotedForDisplay); storaged user list shows all",
                exitStatus: .noUser)
        }
        return record.account
    }

    /// Every account, in the order in which they were made.
    func forEachAccount(_ body: (Account) async throws -> Void) async throws {
        var serial: Int64 = 0
        while case let page = try await accounts(after: serial, limit: 500), let last = page.last {
            for account in page { try await body(account) }
            serial = last.serial
        }
    }
}
