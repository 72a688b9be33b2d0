import StorageCore

extension ModelOperation {
    /// Draws operations, the frequent ones of daily life most often.
    struct Draw {
        var random: SeededGenerator

        mutating func operation() -> ModelOperation {
            switch number(100) {
            case 0..<30: put()
            case 30..<60: tree()
            case 60..<73: upload()
            case 73..<81: question()
            case 81..<91: upkeep()
            default: account()
            }
        }

        private mutating func put() -> ModelOperation {
            let (upload, content) = (slot(), number(ModelOperation.contents))
            return .put(upload: upload, content: content, destination(of: content, by: upload))
        }

        private mutating func tree() -> ModelOperation {
            switch number(12) {
            case 0: .makeFolder(account: owner(), path())
            case 1...3: .delete(place(), condition())
            case 4: .deleteTree(account: owner(), path(), limit: 1 + number(4))
            case 5...7: .move(place(), target())
            case 8...9: .restore(place(), newer: number(4), condition(), keep: [0, 1, 2, 5][number(4)])
            default: .copy(place(), target())
            }
        }

        private mutating func upload() -> ModelOperation {
            let (upload, content) = (slot(), number(ModelOperation.contents))
            switch number(8) {
            case 0: return .begin(upload: upload)
            case 1: return .claim(upload: upload, content: content, lease: span())
            case 2...3:
                let needed = Int64(number(400))
                return .reserve(
                    upload: upload, needed: needed, wanted: needed + Int64(number(500)), addsFile: flag())
            case 4: return .renew(upload: upload, lease: span())
            case 5: return .abandon(upload: upload)
            default: return .commit(upload: upload, destination(of: content, by: upload))
            }
        }

        private mutating func question() -> ModelOperation {
            switch number(10) {
            case 0...1: .find(place())
            case 2: .findPublished(publicName(of: number(ModelOperation.contents)))
            case 3: .lookAtUsage(account: owner())
            case 4: .lookAtAccounts
            case 5: .lookAtRevisions(place(), limit: flag() ? 1 + number(3) : 100)
            case 6:
                .search(
                    account: owner(), flag() ? path() : nil, text: ["", "a", "c", "\u{E9}", "x"][number(5)],
                    suffix: rarely() ? "B" : nil, limit: flag() ? 1 + number(4) : 1_000,
                    stretch: flag() ? 1 + number(4) : 1_000)
            case 7: .lookAtFolders(account: owner(), limit: flag() ? 1 + number(4) : 1_000)
            case 8: .setting(number(ModelOperation.settings), default: flag() ? number(9) : nil)
            default:
                .list(
                    account: owner(), scope(), kind: rarely() ? kind() : nil, after: rarely() ? path() : nil,
                    limit: flag() ? 1 + number(4) : 1_000)
            }
        }

        private mutating func upkeep() -> ModelOperation {
            switch number(9) {
            case 0...1: .doom(grace: span(), retry: .long, limit: flag() ? 2 : 100)
            case 2: .doom(grace: span(), retry: span(), limit: 100)
            case 3: .settle
            case 4: .damage(content: number(ModelOperation.contents), account: owner())
            case 5: .tidy(chore())
            default: .inspect
            }
        }

        private mutating func chore() -> Chore {
            switch number(6) {
            case 0: .foldUsage
            case 1:
                .sweepUploads(
                    silent: span().microseconds, abandoned: span().microseconds, kept: span().microseconds)
            case 2: .sweepCredentials
            case 3: .removeClosedAccounts
            case 4: .backfill
            default: .sweepTombstones(age: span().microseconds)
            }
        }

        private mutating func account() -> ModelOperation {
            switch number(12) {
            case 0...2: .register(account: owner())
            case 3: rarely() ? .close(account: owner()) : .register(account: owner())
            case 4: .disable(account: owner(), flag())
            case 5: .setPassword(account: owner(), to: number(3), replacing: flag() ? number(3) : nil)
            case 6: .setLimits(account: owner(), limits())
            case 7...8:
                .addCredential(
                    credential(), account: owner(), lifetime: flag() ? span() : nil, idle: flag() ? span() : nil)
            case 9: .touchCredential(credential(), idle: flag() ? span() : nil)
            case 10: .revokeCredential(credential(), account: owner())
            default: .revokeCredentials(account: owner(), except: flag() ? credential() : nil)
            }
        }

        private mutating func limits() -> ContainerLimits {
            switch number(5) {
            case 0...1: ContainerLimits(bytes: Int64(number(2_500)))
            case 2: ContainerLimits(bytes: Int64(number(2_500)), files: Int64(number(8)))
            case 3: ContainerLimits(bytes: ContainerLimits.unlimited)
            default: .none
            }
        }

        private mutating func destination(of content: Int, by upload: Int) -> Destination {
            Destination(
                account: ModelOperation.account(of: upload), path: path(), mediaType: number(8) / 7,
                sentName: rarely() ? ["x", "\u{E9}", "e\u{301}"][number(3)] : nil, kind: kind(), condition: condition(),
                link: rarely() ? publicName(of: content) : nil, keep: [0, 1, 2, 5][number(4)])
        }

        private mutating func target() -> Target {
            Target(
                path: path(), kind: flag() ? kind() : nil, overwrite: flag(), condition: condition(),
                keep: [0, 1, 2, 5][number(4)])
        }

        private mutating func scope() -> ListQuery.Scope {
            switch number(5) {
            case 0: .files(prefix: [])
            case 1: .files(prefix: Array(path().bytes.dropLast(number(2))))
            case 2: .folder(nil)
            case 3: .tree(path())
            default: .folder(path())
            }
        }

        private mutating func condition() -> Condition {
            number(4) > 0 ? .always : Condition.allCases[number(Condition.allCases.count)]
        }

        private mutating func place() -> Place { Place(account: owner(), path: path(), byID: rarely()) }
        private mutating func publicName(of content: Int) -> PublicName {
            flag() ? .content(content) : .uid(number(ModelOperation.uids))
        }
        private mutating func path() -> FilePath { ModelOperation.paths[number(ModelOperation.paths.count)] }
        private mutating func kind() -> FileKind { FileKind.allCases[number(FileKind.allCases.count)] }
        private mutating func span() -> Span { flag() ? .over : .long }
        private mutating func slot() -> Int { number(ModelOperation.uploads) }
        private mutating func credential() -> Int { number(ModelOperation.credentials) }
        /// Most things happen to the first accounts: where there is more, more meets.
        private mutating func owner() -> Int { min(number(ModelOperation.accounts), number(ModelOperation.accounts)) }
        private mutating func rarely() -> Bool { number(4) == 0 }
        private mutating func flag() -> Bool { number(2) == 0 }
        private mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    }
}
