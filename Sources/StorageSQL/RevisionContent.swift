import StorageCore

/// What a new revision is to hold.
struct RevisionContent {
    let blob: BlobID
    /// Of the blob. Generation 0 is the first life of its bytes.
    let key: BlobKey
    let size: Int64
    let mediaType: MediaType
    let sentName: String?
    /// Whether the blob is live and referred to, as far as is known: it needs no change to be referred to once more.
    let isReferable: Bool

    /// The parameters `$1` to `$9` of what writes them into the row of a file.
    func facts(of revision: RevisionID, number: Int64) -> [SQLValue] {
        [
            .id(revision), .integer(number), .integer(size), .text(mediaType.description), .optionalText(sentName),
            .id(blob), .id(key.space.id), .bytes(key.digest.bytes), .integer(key.generation),
        ]
    }
}

extension StoredFile {
    /// Whether the current revision holds just that.
    func has(_ content: RevisionContent) -> Bool {
        guard let revision = record.revision else { return false }
        return blob == content.blob && revision.mediaType == content.mediaType
            && revision.sentName.map { Array($0.utf8) } == content.sentName.map { Array($0.utf8) }
    }
}

/// A file that has the current revision that it was to have.
enum CurrentFile {
    /// It had it before.
    case kept(FileRecord)
    /// It was written; its row may still be on its way.
    case changed(FileID, any SQLAnswer)

    var id: FileID {
        switch self {
        case .kept(let record): record.id
        case .changed(let id, _): id
        }
    }

    /// Waits for the row.
    func record() throws -> FileRecord {
        switch self {
        case .kept(let record):
            return record
        case .changed(_, let written):
            guard let row = try written.first(), let file = try StoredFile(row) else {
                throw SQLError(.other, "a row just written is missing")
            }
            return file.record
        }
    }
}
