import StorageCore

/// An account as commands show it.
struct AccountLine: Encodable {
    let id: String
    let login: String?
    let kind: String
    let role: String
    let isDisabled: Bool
    let createdAt: String
    let files: Int64
    let bytes: Int64
    /// Older revisions that are kept.
    let revisionBytes: Int64
    /// What was said for this account; nil where the default of the server applies.
    let limitBytes: Int64?
    let limitFiles: Int64?

    init(_ account: Account, _ usage: Usage) {
        id = account.id.description
        login = account.login?.description
        kind = account.kind.rawValue
        role = account.role.rawValue
        isDisabled = account.disabledAt != nil
        createdAt = account.createdAt.shown
        files = usage.files
        bytes = usage.bytes
        revisionBytes = usage.revisionBytes
        limitBytes = account.container.limits.bytes
        limitFiles = account.container.limits.files
    }

    static var table: TextTable { TextTable("LOGIN", "ROLE", "STATE", "FILES", "SIZE", "QUOTA", "CREATED", "ID") }

    func add(to table: inout TextTable) {
        table.add(
            login ?? "(\(kind))", role, isDisabled ? "disabled" : "active", "\(files)",
            ByteText.of(bytes.addingReportingOverflow(revisionBytes).partialValue), Self.quota(limitBytes, limitFiles),
            createdAt, id)
    }

    /// `default`, `none`, `10.0 GiB`, `none, 500 files`.
    static func quota(_ bytes: Int64?, _ files: Int64?) -> String {
        func word(_ limit: Int64?, _ text: (Int64) -> String) -> String {
            switch limit {
            case nil: "default"
            case ContainerLimits.unlimited: "none"
            case let limit?: text(limit)
            }
        }
        let (size, count) = (word(bytes, ByteText.of), word(files) { "\($0) files" })
        return files == nil || size == count ? size : "\(size), \(count)"
    }
}

/// A token as commands show it: never its text.
struct TokenLine: Encodable {
    let id: String
    let kind: String
    let label: String?
    let createdAt: String
    let lastUsedAt: String?
    let expiresAt: String?

    init(_ credential: StoredCredential) {
        id = credential.id.description
        kind = credential.kind.rawValue
        label = credential.label
        createdAt = credential.createdAt.shown
        lastUsedAt = credential.lastUsedAt?.shown
        expiresAt = credential.expiresAt?.shown
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
