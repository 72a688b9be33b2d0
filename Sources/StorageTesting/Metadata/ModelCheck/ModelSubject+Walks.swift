import StorageCore

/// Older revisions, and walks through all files.
extension ModelSubject {
    mutating func look(_ operation: ModelOperation) async throws -> String {
        switch operation {
        case .lookAtRevisions(let place, let limit):
            return try await revisions(place, limit: limit)
        case .search(let account, let folder, let text, let suffix, let limit, let stretch):
            let query = SearchQuery(
                container: try container(account), folder: folder, text: Array(text.utf8),
                suffix: suffix.map { Array($0.utf8) }, limit: limit, stretch: stretch)
            return try await search(query)
        case .lookAtFolders(let account, let limit):
            return try await folders(of: try container(account), limit: limit)
        default:
            return ""
        }
    }

    /// What makes the revision current that so many are newer than; a file or revision that is not there is refused by both alike.
    func restoration(
        _ place: ModelOperation.Place, _ newer: Int, _ condition: ModelOperation.Condition, keep: Int
    ) async throws -> FileChange.Restoration {
        let file = try await store.file(try selector(place))
        let revisions = try await store.revisions(of: try selector(place), limit: 100) ?? []
        let wanted = newer < revisions.count ? revisions[newer].revision : nil
        return FileChange.Restoration(
            container: try container(place.account), file: file?.id ?? FileID(high: 0, low: 0),
            revision: wanted?.id ?? RevisionID(high: 0, low: 0),
            precondition: precondition(condition, place.account, place.path), keepRevisions: keep,
            limits: ModelOperation.defaultLimits(of: place.account))
    }

    private mutating func revisions(_ place: ModelOperation.Place, limit: Int) async throws -> String {
        guard let revisions = try await store.revisions(of: try selector(place), limit: limit) else { return "nothing" }
        var lines: [String] = []
        for revision in revisions {
            let found = try await store.file(
                .revision(
                    revision.container, revision.id, revision.revision?.id ?? RevisionID(high: 0, low: 0)))
            lines.append(names.describeRevision(revision) + (found == revision ? "" : ", not found"))
        }
        return lines.joined(separator: "\n")
    }

    private mutating func search(_ query: SearchQuery) async throws -> String {
        var query = query
        var lines: [String] = []
        repeat {
            let stretch = try await store.search(query)
            lines += stretch.entries.map { names.describe($0) }
            query.after = stretch.end
        } while query.after != nil
        return lines.joined(separator: "\n")
    }

    private func folders(of container: ContainerID, limit: Int) async throws -> String {
        var lines: [String] = []
        var after: FilePath?
        repeat {
            let stretch = try await store.folderUsage(of: container, after: after, limit: limit)
            lines += stretch.entries.map { "\($0.folder): \($0.bytes) bytes, \($0.files) files" }
            after = stretch.end
        } while after != nil
        return lines.joined(separator: "\n")
    }
}
