import StorageCore

/// Calls what a store made itself by numbers, in the order of its first appearance, so that two stores can be compared.
struct ModelNames {
    private var numbers: [AnyHashable: Int] = [:]
    private var counts: [String: Int] = [:]
    private var moments: [Moment: (value: Timestamp?, version: Int)] = [:]

    private struct Moment: Hashable {
        let of: AnyHashable
        let what: String
    }

    /// The number of an identifier among those of its sort.
    mutating func number(_ id: some Hashable & Sendable, _ sort: String) -> String {
        let key = AnyHashable(id)
        if let number = numbers[key] { return "\(sort) \(number)" }
        let number = counts[sort, default: 0]
        counts[sort] = number + 1
        numbers[key] = number
        return "\(sort) \(number)"
    }

    /// How often a moment was seen to change.
    private mutating func version(_ value: Timestamp?, _ what: String, of id: some Hashable & Sendable) -> String {
        let key = Moment(of: AnyHashable(id), what: what)
        let (last, version) = moments[key] ?? (value, 0)
        let now = last == value ? version : version + 1
        moments[key] = (value, now)
        return "\(what) \(value == nil ? "never" : "v\(now)")"
    }

    mutating func describe(_ key: BlobKey) -> String {
        let space = key.space == .shared ? "shared space" : "space of \(number(key.space.id, "container"))"
        return
            "\(number(key, "blob")) (\(key.digest.hex.prefix(8)), \(space)\(key.generation == 0 ? ", generation 0" : ""))"
    }

    mutating func describe(_ record: FileRecord?) -> String {
        guard let record else { return "nothing" }
        let place = "\(record.path) in \(number(record.container, "container"))"
        let times =
            "\(version(record.createdAt, "created", of: record.id)), \(version(record.modifiedAt, "modified", of: record.id))"
        let file = number(record.id, "file")
        guard let revision = record.revision else { return "folder \(file) at \(place), \(record.kind), \(times)" }
        return "\(file) at \(place), \(record.kind), \(times), \(describe(revision))"
    }

    mutating func describe(_ revision: Revision) -> String {
        let name = revision.sentName.map { "\(Array($0.utf8))" } ?? "none"
        return """
            \(number(revision.id, "revision")) \
            \(version(revision.createdAt, "made", of: revision.id)) of \(revision.size) bytes in \(describe(revision.blob)), \
            type \(revision.mediaType), name \(name)\(revision.isIntact ? "" : ", damaged")
            """
    }

    /// A record as one of its revisions shows it: its moment is that of the revision.
    mutating func describeRevision(_ record: FileRecord) -> String {
        let isOfRevision = record.modifiedAt == record.revision?.createdAt
        return """
            \(number(record.id, "file")) at \(record.path) in \(number(record.container, "container")), \(record.kind), \
            \(isOfRevision ? "then" : "at another time"), \(record.revision.map { describe($0) } ?? "no revision")
            """
    }

    mutating func describe(_ result: FileChangeResult) -> String {
        switch result {
        case .created(let record): "created \(describe(record))"
        case .updated(let record): "updated \(describe(record))"
        case .deleted(let remaining): remaining == 0 ? "deleted" : "deleted, there is more"
        case .blobLost: "blob lost"
        }
    }

    mutating func describe(_ account: Account?) -> String {
        guard let account else { return "no account" }
        let container = account.container
        return """
            \(number(account.id, "account")) \(account.kind) \(account.role) \(account.login?.description ?? "without login") \
            \(version(account.createdAt, "made", of: account.id)) \(account.disabledAt == nil ? "enabled" : "disabled") with \
            \(number(container.id, "container")) \(container.space == .shared ? "shared" : "own") \
            \(container.keepsRevisions ? "keeping" : "not keeping") \(describe(container.limits))
            """
    }

    mutating func describe(_ credential: StoredCredential?) -> String {
        guard let credential else { return "no credential" }
        return """
            \(number(credential.id, "credential")) \(credential.kind) \(credential.label ?? "-") \
            \(version(credential.createdAt, "made", of: credential.id)) \
            \(version(credential.lastUsedAt, "used", of: credential.id)) \
            \(version(credential.expiresAt, "expires", of: credential.id))
            """
    }

    mutating func describe(_ result: AccountChangeResult) -> String {
        let credential = result.credential.map { number($0, "credential") } ?? "no credential"
        return "\(describe(result.account)); \(credential)"
    }

    func describe(_ usage: Usage) -> String {
        let limits = ContainerLimits(bytes: usage.limitBytes, files: usage.limitFiles)
        return "\(usage.bytes) bytes, \(usage.files) files, \(usage.revisionBytes) older, \(describe(limits))"
    }

    private func describe(_ limits: ContainerLimits) -> String {
        "limits \(limits.bytes.map(String.init) ?? "-")/\(limits.files.map(String.init) ?? "-")"
    }
}
