import StorageCore

/// What goes into an archive, one after the other: a file, or a folder and everything below it in byte order of the path.
///
/// One page of entries is in memory. The tree may change while it is read: what comes and goes meanwhile is there or not, everything
/// else is there once. A tree that is moved is followed to where it is.
struct ArchivedTree {
    /// An entry, and its name in the archive, which starts with that of the tree.
    typealias Element = (name: [UInt8], record: FileRecord)

    private let metadata: any MetadataStore
    private let name: [UInt8]
    private var root: FileRecord
    private var page: ArraySlice<Element>
    /// The end of the last entry's path, behind the root's.
    private var reached: [UInt8] = []
    private var isAtEnd: Bool
    /// The names of files that those of entries to come may begin with.
    private var files: [[UInt8]] = []

    init(_ root: FileRecord, in metadata: any MetadataStore) {
        self.metadata = metadata
        self.root = root
        name = Array(root.path.name)
        page = [(name, root)]
        isAtEnd = !root.isFolder
    }

    /// The next entry; nil after the last.
    mutating func next() async throws -> Element? {
        while true {
            while let element = page.popFirst() {
                guard !isInFile(element.name) else { continue }
                if !element.record.isFolder { files.append(element.name) }
                return element
            }
            guard !isAtEnd else { return nil }
            try await turn()
        }
    }

    /// Whether a folder that the name lies in came as a file, which it was then. An archive that has both could not be unpacked.
    private mutating func isInFile(_ name: [UInt8]) -> Bool {
        // In byte order all names between a file's and those below it begin with the file's.
        while let file = files.last, !name.starts(with: file) { files.removeLast() }
        return files.contains { name.count > $0.count && name[$0.count] == ASCII.slash }
    }

    private mutating func turn() async throws {
        let above = root.path.bytes
        let next = try await metadata.list(
            ListQuery(
                container: root.container, scope: .tree(root.path), after: FilePath(stored: above + reached)))
        page = next.entries.map { (name + $0.path.bytes.dropFirst(above.count), $0) }[...]
        if let last = next.entries.last { reached = Array(last.path.bytes.dropFirst(above.count)) }
        guard !next.hasMore else { return }
        // Where it was is nothing more of a tree that was moved.
        let now = try await metadata.file(.id(root.container, root.id))
        if let now, now.path != root.path { root = now } else { isAtEnd = true }
    }
}
