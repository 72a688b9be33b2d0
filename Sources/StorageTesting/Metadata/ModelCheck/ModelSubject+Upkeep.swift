import StorageCore

/// Accounts, collection and housekeeping, and a look at everything.
extension ModelSubject {
    mutating func changeAccount(_ operation: ModelOperation) async throws -> AccountChangeResult {
        let result = try await store.change(try accountChange(operation))
        switch operation {
        case .register(let account):
            guard let made = result.account else { break }
            // What was begun for the account before is never committed to this one.
            if made.id != accounts[account]?.id {
                uploads = uploads.filter { ModelOperation.account(of: $0.key) != account }
            }
            accounts[account] = made
        case .addCredential(let credential, _, _, _): credentials[credential] = result.credential
        case .setLimits:
            // Room that was set aside is given back by the commit where there is a limit, by the sweeper where there is none any more.
            try await sweep(
                .sweepUploads(silent: ModelOperation.Span.over.microseconds, abandoned: .max / 2, kept: .max / 2))
        default: break
        }
        return result
    }

    private mutating func accountChange(_ operation: ModelOperation) throws -> AccountChange {
        switch operation {
        case .register(let account):
            guard account < ModelOperation.accounts - 1 else { return .openContainer(token(account), ownSpace: true) }
            return .register(
                login: try Login("user-\(account)".utf8), email: nil, passwordHash: "$0", role: .user,
                ownSpace: account == 2)
        case .close(let account): return .close(try self.account(account).id)
        case .disable(let account, let isDisabled): return .setDisabled(try self.account(account).id, isDisabled)
        case .setPassword(let account, let new, let replaced):
            return .setPassword(
                try self.account(account).id, passwordHash: "$\(new)", replacing: replaced.map { "$\($0)" })
        case .setLimits(let account, let limits): return .setLimits(try self.account(account).id, limits)
        case .addCredential(let credential, let account, let lifetime, let idle):
            return .addCredential(
                try self.account(account).id, token(100 + Int(newUpload().low)), kind: .session,
                label: "\(credential)", lifetime: lifetime?.microseconds, idle: idle?.microseconds)
        case .touchCredential(let credential, let idle):
            return .touchCredential(self.credential(credential), idle: idle?.microseconds)
        case .revokeCredential(let credential, let account):
            return .revokeCredential(try self.account(account).id, self.credential(credential))
        case .revokeCredentials(let account, let kept):
            return .revokeCredentials(try self.account(account).id, except: kept.map(self.credential))
        default:
            throw StorageError(.internal, "This changes no account.")
        }
    }

    private func token(_ number: Int) -> TokenDigest {
        TokenDigest(bytes: (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 4))) })
    }

    private func credential(_ number: Int) -> CredentialID { credentials[number] ?? CredentialID(high: 0, low: 0) }

    mutating func lookAtAccounts() async throws -> String {
        var lines: [String] = []
        for number in 0..<ModelOperation.accounts {
            guard let account = accounts[number] else { continue }
            let record = try await store.account(.id(account.id))
            lines.append("\(names.describe(record?.account)) \(record?.passwordHash ?? "no password")")
            let behind = try await store.accounts(after: account.serial, limit: 100)
            lines.append("behind it: " + behind.map { names.describe($0) }.joined(separator: ", "))
            let credentials = try await store.credentials(of: account.id, after: nil, limit: 100)
            lines += credentials.map { names.describe($0) }.sorted()
        }
        for number in 0..<ModelOperation.accounts - 1 {
            let record = try await store.account(.login(try Login("user-\(number)".utf8)))
            lines.append("by login: \(names.describe(record?.account))")
        }
        let record = try await store.account(.credential(token(ModelOperation.accounts - 1)))
        lines.append("by token: \(names.describe(record?.account)) \(names.describe(record?.credential))")
        return lines.joined(separator: "\n")
    }

    mutating func upkeep(_ operation: ModelOperation) async throws -> String {
        switch operation {
        case .doom(let grace, let retry, let limit):
            return try await doom(grace, retry, limit)
        case .settle:
            try await store.settle(.gone(Array(doomed)))
            doomed = []
            return "settled"
        case .damage(let content, let account):
            guard let key = keys[ContentOf(account: account, content: content)] else { return "nothing to damage" }
            try await store.settle(.corrupt(key))
            return "damaged"
        case .tidy(let chore):
            try await sweep(chore)
            return "tidy"
        case .setting(let setting, let value):
            let inForce = try await store.setting("setting-\(setting)", default: value.map { "\($0)" })
            return inForce ?? "no value"
        default:
            return ""
        }
    }

    private mutating func doom(
        _ grace: ModelOperation.Span, _ retry: ModelOperation.Span, _ limit: Int
    ) async throws -> String {
        var all: [BlobID: BlobRecord] = [:]
        while true {
            let blobs = try await store.doom(grace: grace.microseconds, retry: retry.microseconds, limit: limit)
            for blob in blobs { all[blob.id] = blob }
            // What is due again at once would come for ever.
            guard !blobs.isEmpty, retry == .long else { break }
        }
        doomed.formUnion(all.keys)
        return describe(all.values.map { ($0, "") })
    }

    private func sweep(_ chore: Chore) async throws {
        while try await store.tidy(chore) {}
    }

    /// Blobs come in no particular order.
    private mutating func describe(_ blobs: [(BlobRecord, String)]) -> String {
        blobs.map { "\(names.describe($0.key)) \($0.size) \($0.state) \($1)" }.sorted().joined(separator: "\n")
    }

    mutating func inspect() async throws -> String {
        var lines: [String] = []
        for number in 0..<ModelOperation.accounts {
            guard let account = accounts[number] else { continue }
            lines += try await tree(of: account.container.id, below: nil)
            lines.append(names.describe(try await store.usage(of: account.container.id)))
        }
        let uids = (0..<ModelOperation.uids).map { ModelOperation.PublicName.uid($0) }
        for name in uids + (0..<ModelOperation.contents).map({ .content($0) }) {
            lines.append("\(name): \(names.describe(try await store.file(.link(link(name)))))")
        }
        for (number, attempt) in uploads.sorted(by: { $0.key < $1.key }) {
            lines.append("upload \(number): \(try await outcome(of: attempt.id))")
        }
        lines.append(describe(try await store.inspectBlobs(.page(after: nil, limit: 1_000)).map(Self.inspection)))
        lines += try await containers()
        return lines.joined(separator: "\n")
    }

    private static func inspection(_ inspection: BlobInspection) -> (BlobRecord, String) {
        // Of a blob in use, being released only says that the collector will have a look.
        let isDue = inspection.blob.state == .live && inspection.isReleased
        return (inspection.blob, inspection.isReferenced ? "referenced" : isDue ? "released" : "")
    }

    private mutating func tree(of container: ContainerID, below folder: FilePath?) async throws -> [String] {
        var lines: [String] = []
        for entry in try await store.list(ListQuery(container: container, scope: .folder(folder))).entries {
            lines.append(names.describe(noting(entry)))
            if entry.isFolder { lines += try await tree(of: container, below: entry.path) }
        }
        return lines
    }

    private mutating func outcome(of upload: UploadID) async throws -> String {
        switch try await store.outcome(of: upload) {
        case .committed(let result): "committed, \(names.describe(result))"
        case .open: "open"
        case .unknown: "unknown"
        }
    }

    private mutating func containers() async throws -> [String] {
        try await store.inspectContainers(after: nil, limit: 1_000).map { container in
            """
            \(names.number(container.id, "container")): \(names.describe(container.recorded)), counted \
            \(names.describe(container.counted)), \(container.recordedReservations) set aside, \
            counted \(container.countedReservations)
            """
        }.sorted()
    }
}
