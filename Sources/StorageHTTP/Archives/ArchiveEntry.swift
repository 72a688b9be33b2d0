import StorageCore

/// A file or folder as an archive tells of it.
struct ArchiveEntry: Hashable, Sendable {
    /// Where it lies in the archive: valid UTF-8 without a slash at either end.
    let name: [UInt8]
    /// What is there.
    let content: Content
    /// When it last changed.
    let modifiedAt: Timestamp

    enum Content: Hashable, Sendable {
        case folder
        /// A file of so many bytes.
        case file(size: Int64, isCompressible: Bool = true)
    }

    init(_ name: [UInt8], _ content: Content, modifiedAt: Timestamp) {
        self.name = name
        self.content = content
        self.modifiedAt = modifiedAt
    }

    /// A record under the name that it has in the archive.
    init(_ record: FileRecord, as name: [UInt8]) {
        let content = record.revision.map {
            Content.file(size: $0.size, isCompressible: $0.mediaType.isCompressible)
        }
        self.init(name, content ?? .folder, modifiedAt: record.modifiedAt)
    }

    var isFolder: Bool { content == .folder }

    /// The number of bytes; none for a folder.
    var size: Int64 {
        if case .file(let size, _) = content { size } else { 0 }
    }

    var isCompressible: Bool {
        if case .file(_, let isCompressible) = content { isCompressible } else { false }
    }

    /// The name in the form of formats that tell a folder by the slash at its end.
    var slashedName: [UInt8] { isFolder ? name + [ASCII.slash] : name }
}
