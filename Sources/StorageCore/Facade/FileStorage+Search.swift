/// Walks through all of a container: searches, and what its folders hold.
extension FileStorage {
    /// The files of the principal's container that a search finds, the first of them in its order.
    ///
    /// Reads every entry below the folder, unless the order is that of the paths and enough is found before: the time grows with their
    /// number. In memory are one stretch of entries and at most twice as many files as are asked for. Between its steps, each of which
    /// is a short question to the database, others get their turn; see ``MetadataStore/search(_:)``.
    ///
    /// - Parameters:
    ///   - search: What is looked for.
    ///   - principal: Whose files are searched.
    ///   - isWanted: Whether somebody still waits for what is found; asked before every step.
    /// - Throws: ``StorageError/Code/unavailable`` where too many walks are under way, before the first step; `CancellationError` where
    ///   nobody waits any more.
    public func search(
        _ search: FileSearch, as principal: Principal, while isWanted: @escaping @Sendable () -> Bool = { true }
    ) async throws -> [FileRecord] {
        guard let container = container(of: principal) else { return [] }
        let walk = try walks.begin(through: container.id, while: isWanted)
        let isText = search.pattern.expression == nil
        let isNarrow = search.suffix != nil || isText && !search.pattern.text.isEmpty
        var query = SearchQuery(
            container: container.id, folder: search.folder, text: isText ? search.pattern.text : [],
            suffix: search.suffix, limit: isText && search.order == .path ? search.limit : Self.batchOfFiles,
            stretch: isNarrow ? Self.stretch : Self.batchOfFiles)
        var found = FirstOf<FileRecord>(search.limit) { search.order.precedes($0, $1) }
        repeat {
            let stretch = try await walk.step {
                let stretch = try await metadata.search(query)
                let files = try await walks.files(stretch.entries, matching: search.pattern)
                return Stretch(entries: files, end: stretch.end)
            }
            for file in stretch.entries { found.insert(file) }
            query.after = stretch.end
            // The store does not see all that keeps a file from being found: few at a time would be many steps.
            query.limit = min(4 * query.limit, max(query.limit, Self.batchOfFiles))
        } while query.after != nil && !(search.order == .path && found.isFull)
        return found.sorted
    }

    /// What lies below each folder at the root of the principal's container, in byte order; of very many folders the first
    /// ``largestFolderCount``.
    ///
    /// Counts every file, in stretches between which others get their turn: no moment sees all of it.
    ///
    /// - Parameters:
    ///   - principal: Whose files are counted.
    ///   - isWanted: Whether somebody still waits for the answer; asked before every stretch.
    /// - Throws: as ``search(_:as:while:)`` does.
    public func folderUsage(
        of principal: Principal, while isWanted: @escaping @Sendable () -> Bool = { true }
    ) async throws -> [FolderUsage] {
        guard let container = container(of: principal) else { return [] }
        let walk = try walks.begin(through: container.id, while: isWanted)
        var folders: [FilePath: FolderUsage] = [:]
        var last: FilePath?
        var after: FilePath?
        repeat {
            let stretch = try await walk.step {
                try await metadata.folderUsage(of: container.id, after: after, limit: Self.stretch)
            }
            for part in stretch.entries where last.map({ part.folder <= $0 }) ?? true {
                folders[part.folder, default: FolderUsage(folder: part.folder)].add(part)
            }
            if folders.count > 2 * Self.largestFolderCount {
                let kept = folders.values.sorted { $0.folder < $1.folder }.prefix(Self.largestFolderCount)
                folders = Dictionary(uniqueKeysWithValues: kept.map { ($0.folder, $0) })
                last = kept.last?.folder
            }
            after = stretch.end
        } while after != nil
        return Array(folders.values.sorted { $0.folder < $1.folder }.prefix(Self.largestFolderCount))
    }

    /// The most folders that ``folderUsage(of:while:)`` tells of.
    public static let largestFolderCount = 10_000

    /// Entries of one step of a walk where the store looks for itself.
    private static let stretch = 10_000
    /// Files of one step of a walk where they are looked at here.
    private static let batchOfFiles = 1_000
}

extension FolderUsage {
    fileprivate mutating func add(_ other: FolderUsage) {
        bytes += other.bytes
        files += other.files
    }
}
