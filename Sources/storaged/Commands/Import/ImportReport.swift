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
    /// Empty folders that are there now.
    var folders = 0
    var skipped = 0
    var failed = 0
    var isDryRun = false

    mutating func count(_ event: FolderImport.Event) {
        switch event {
        case .stored(let file, let isNew):
            if isNew { stored += 1 } else { updated += 1 }
            bytes += file.state.size
        case .alreadyThere: alreadyThere += 1
        case .folder: folders += 1
        case .skipped: skipped += 1
        case .failed: failed += 1
        }
    }

    /// One line for people.
    var text: String {
        let verb = isDryRun ? "would import" : "imported"
        return "\(verb) \(stored) new and \(updated) changed files (\(ByteText.of(bytes))), \(folders) empty folders;"
            + " \(alreadyThere) files were there already, \(skipped) skipped, \(failed) failed"
    }
}

/// A line about an entry that was not imported, as `--json` prints it.
struct ImportRemark: Encodable {
    /// `skipped` or `failed`.
    let event: String
    /// Relative to the folder that is imported.
    let name: String
    let reason: String

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
        self.name = name.isEmpty ? "." : LocalName.shown(name)
        self.reason = reason
    }

    /// One line for people.
    var text: String { "\(event): \(name) (\(reason))" }
}
