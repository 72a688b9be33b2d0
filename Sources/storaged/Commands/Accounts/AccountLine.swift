import StorageCore

/// An account as commands show it.
struct AccountLine: TableRow {
    let id: String
    @ExplicitNull var login: String?
    let kind: String
    let role: String
    let isDisabled: Bool
    let createdAt: String
    let files: Int64
    let bytes: Int64
    /// Older revisions that are kept.
    let revisionBytes: Int64
    /// What it may hold, whoever said so; nil where nothing limits it.
    @ExplicitNull var limitBytes: Int64?
    @ExplicitNull var limitFiles: Int64?
    let limitBytesFrom: LimitSource
    let limitFilesFrom: LimitSource

    /// Who says what an account may hold.
    enum LimitSource: String, Encodable {
        /// `storaged user quota`.
        case account
        /// The settings limits.quota, limits.container-quota and limits.files.
        case settings
    }

    /// - Parameter defaults: What holds where nothing was said for the account.
    init(_ account: Account, _ usage: Usage, defaults: ContainerLimits) {
        id = account.id.description
        login = account.login?.description
        kind = account.kind.rawValue
        role = account.role.rawValue
        isDisabled = account.disabledAt != nil
        createdAt = account.createdAt.shown
        files = usage.files
        bytes = usage.bytes
        revisionBytes = usage.revisionBytes
        let own = account.container.limits
        let limits = own.inForce(defaults: defaults)
        limitBytes = limits.bytes
        limitFiles = limits.files
        limitBytesFrom = own.bytes == nil ? .settings : .account
        limitFilesFrom = own.files == nil ? .settings : .account
    }

    static var table: TextTable { TextTable("LOGIN", "ROLE", "STATE", "FILES", "SIZE", "QUOTA", "CREATED", "ID") }

    func add(to table: inout TextTable) {
        table.add(
            login ?? "(\(kind))", role, isDisabled ? "disabled" : "active", "\(files)",
            ByteText.of(bytes.addingReportingOverflow(revisionBytes).partialValue), quota, createdAt, id)
    }

    /// What is in force: `10.0 GiB`, `none, 500 files`, `10.0 GiB (default)`.
    var quota: String {
        func word(_ text: String?, _ source: LimitSource) -> String {
            (text ?? "none") + (source == .settings ? " (default)" : "")
        }
        let size = word(limitBytes.map(ByteText.of), limitBytesFrom)
        let count = word(limitFiles.map { "\($0) files" }, limitFilesFrom)
        return limitFiles == nil && (limitFilesFrom == .settings || size == count) ? size : "\(size), \(count)"
    }
}

/// A token as commands show it: never its text.
struct TokenLine: TableRow {
    let id: String
    let kind: String
    @ExplicitNull var label: String?
    let createdAt: String
    @ExplicitNull var lastUsedAt: String?
    /// When it ends if it is not used before.
    @ExplicitNull var expiresAt: String?

    init(_ credential: StoredCredential) {
        id = credential.id.description
        kind = credential.kind.rawValue
        label = credential.label
        createdAt = credential.createdAt.shown
        lastUsedAt = credential.lastUsedAt?.shown
        let ends = [credential.expiresAt, credential.idleUntil].compactMap { $0 }
        expiresAt = ends.min()?.shown
    }

    static var table: TextTable { TextTable("ID", "KIND", "CREATED", "LAST USED", "EXPIRES", "LABEL") }

    func add(to table: inout TextTable) {
        table.add(id, kind, createdAt, lastUsedAt ?? "never", expiresAt ?? "never", label ?? "")
    }
}

extension Timestamp {
    /// RFC 3339 in UTC with whole seconds.
    var shown: String {
        var line: [UInt8] = []
        LogTime(seconds: seconds, microseconds: 0).append(to: &line)
        return String(decoding: line.prefix(19), as: UTF8.self) + "Z"
    }
}
