import FoundationEssentials
import StorageCore

/// What an import did, in numbers.
struct ImportReport: Encodable, Equatable {
    /// New paths.
    var stored = 0
    /// Paths that were there and have new bytes.
    var updated = 0
    /// The bytes of both.
    var bytes: Int64 = 0
    /// Files that were there with the same bytes.
    var alreadyThere = 0
    /// Empty folders that are new.
    var folders = 0
    var skipped = 0
    var failed = 0
    var isDryRun = false
    /// Whether everything was looked at; false for an import that ended early.
    var isComplete = true

    mutating func count(_ event: FolderImport.Event) {
        switch event {
        case .stored(let file, let isNew):
            if isNew { stored += 1 } else { updated += 1 }
            bytes += file.state.size
        case .alreadyThere: alreadyThere += 1
        case .folder(_, let isNew): folders += isNew ? 1 : 0
        case .skipped: skipped += 1
        case .failed: failed += 1
        }
    }

    /// One line for people.
    var text: String {
        let verb = isDryRun ? "would import" : "imported"
        return "\(verb) \(stored) new and \(updated) changed files (\(ByteText.of(bytes))), \(folders) empty folders;"
            + " \(alreadyThere) files were there already, \(skipped) skipped, \(failed) failed"
            + (isComplete ? "" : "; ended early, start it again to finish it")
    }
}

/// A line about an entry that was not imported, as `--json` prints it.
struct ImportRemark: Encodable {
    /// `skipped` or `failed`.
    let event: String
    /// Relative to the folder that is imported: as it is, or with escapes where it is no text.
    let name: String
    /// The bytes of a name that is no text, in Base64.
    @ExplicitNull var nameBytes: String?
    let reason: String
    /// One line for people.
    let text: String

    private enum CodingKeys: CodingKey {
        case event, name, nameBytes, reason
    }

    /// Nil for an event that is only counted.
    init?(_ event: FolderImport.Event) {
        switch event {
        case .skipped(let name, let reason): self.init("skipped", name, reason)
        case .failed(let name, let reason): self.init("failed", name, reason)
        case .stored, .alreadyThere, .folder: return nil
        }
    }

    private init(_ event: String, _ name: [UInt8], _ reason: String) {
        self.event = event
        self.reason = reason
        let shown = name.isEmpty ? "." : LocalName.shown(name)
        text = "\(event): \(shown) (\(reason))"
        let exact = name.isEmpty ? "." : String(validating: name, as: UTF8.self)
        self.name = exact ?? shown
        nameBytes = exact == nil ? Data(name).base64EncodedString() : nil
    }
}
