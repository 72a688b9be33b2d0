import ArgumentParser
import Logging
import StorageCore

/// `storaged copy-blobs`: from one store of bytes into another, while daemons use both.
struct CopyBlobsCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy-blobs",
        abstract: "Move the bytes between the disk and a bucket, verified; beside running daemons or without one.",
        discussion: """
            Daemons are started with the new store as blobs.store and the old one as blobs.fallback, and so is this command: what is \
            uploaded goes to the new one, and what has not been copied yet is read from the old one. Every blob is compared with its \
            digest on the way and read again where it arrived; what had arrived before is read there too. A copy that was stopped \
            goes on where it was. What is missing or damaged is named, keeps nothing else from being copied, and ends it with 1.

            After a copy that has failed with nothing daemons need blobs.fallback no more; until then they are refused without \
            it. What had been found damaged before the copy is named and ends it with 1, but needs no blobs.fallback: it is not \
            served in any case, and the next upload of the same content heals its files. Nothing is deleted in the old store but what is deleted in both. \(SettingsHelp.reference)
            """)

    @Option(help: "the old store, as blobs.fallback says it: disk, disk:<directory> or s3")
    var from: String

    @Option(help: "the new store, as blobs.store says it: disk or s3")
    var to: String

    @Flag(help: "print one JSON object a line: what could not be copied, and the numbers at the end")
    var json = false

    /// The numbers at the end.
    struct Outcome: Encodable {
        let from: String
        let to: String
        /// Blobs that were copied, and their bytes.
        let copied: Int
        let bytes: Int64
        /// Blobs that had been there already.
        let present: Int
        /// Copies that were taken away again, because nothing refers to them any more.
        let removed: Int
        let failed: Int
        /// Blobs that had been found damaged before, which were not copied.
        let corrupt: Int

        /// One line for people.
        var text: String {
            let what = corrupt == 0 ? "everything" : "everything but \(corrupt) damaged before"
            let end =
                failed == 0
                ? "\(what) is in \(to): \(Keys.blobsFallback.name) is needed no more"
                : "\(failed) could not be copied" + (corrupt == 0 ? "" : ", \(corrupt) had been damaged before")
            return "copied \(copied) \(copied == 1 ? "blob" : "blobs") (\(ByteText.of(bytes))) from \(from) to \(to),"
                + " \(present) were there already; \(end)"
        }
    }

    func validate() throws {
        let (source, target) = (
            try CommandValue.place(from, of: "--from"), try CommandValue.place(to, of: "--to")
        )
        guard source != target else { throw ValidationError("--from and --to name the same store") }
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let source = try CommandValue.place(from, of: "--from")
        let target = try CommandValue.place(to, of: "--to")
        let display = BlobCopyDisplay(isJSON: json)
        defer { display.finish() }
        let progress = try await Wiring.copyBlobs(configuration, from: source, to: target, display)
        display.finish()
        let outcome = Outcome(
            from: from, to: to, copied: progress.copied, bytes: progress.copiedBytes, present: progress.present,
            removed: progress.removed, failed: progress.failed, corrupt: progress.corrupt)
        try StandardOutput.write(line: json ? JSONLine.text(of: outcome) : outcome.text)
        guard progress.failed == 0 else {
            throw CommandFailure(
                description:
                    "\(progress.failed) of the blobs could not be copied; \(Keys.blobsFallback.name) stays needed")
        }
        guard progress.corrupt == 0 else {
            throw CommandFailure(
                description:
                    "\(progress.corrupt) of the blobs had been found damaged before and were not copied: upload their"
                    + " files again or delete them")
        }
    }
}
