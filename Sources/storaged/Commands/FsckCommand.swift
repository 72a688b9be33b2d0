import ArgumentParser
import Logging
import StorageCore

/// `storaged fsck`: whether everything is there that the database says.
struct FsckCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Compare the database with the store; beside a running daemon or without one. Changes nothing.",
        discussion: """
            Every blob that may be served must have bytes of its size, every file such a blob, every count must be right, \
            what lookups tell of a file must be what its revision says, nothing may wait for upkeep for more than a day, \
            and nothing else may lie among the blobs. With --read-data, every blob is read and compared with its digest \
            too. Ends with 0 when all is well, with 1 when something is wrong. \(SettingsHelp.reference)
            """)

    @Flag(help: "read every blob and compare it with its digest; as slow as reading the disk")
    var readData = false

    @Flag(help: "print one JSON object a line: what is wrong, and the numbers at the end")
    var json = false

    /// The numbers at the end.
    struct Outcome: Encodable {
        /// In the database, in whatever state.
        let blobs: Int
        /// Of those that may be served.
        let bytes: Int64
        let containers: Int
        /// In the store, under names of blobs.
        let files: Int
        /// Of the blobs that were compared with their digests.
        let readBytes: Int64
        let findings: Int

        /// One line for people.
        var text: String {
            let read = readBytes > 0 ? ", \(ByteText.of(readBytes)) of them read" : ""
            return "checked \(blobs) records of blobs (\(ByteText.of(bytes)) that may be served\(read)),"
                + " \(files) blobs in the store and \(containers) containers:"
                + " \(findings == 0 ? "all is well" : "\(findings) findings")"
        }
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let bar = ProgressBar(total: .init(), descriptor: ProgressBar.isWanted ? 2 : nil)
        defer { bar.finish() }
        let report = try await Wiring.besideDaemon(configuration) { stores in
            let fsck = Fsck(metadata: stores.metadata, blobs: stores.blobs, readsData: readData)
            return try await fsck.run {
                bar.advance(bytes: $0)
            } onProgress: {
                bar.show($0.blobs + $0.containers + $0.keys)
            } onFinding: { finding in
                let line = FindingLine(finding)
                try bar.interrupted {
                    try StandardOutput.write(line: json ? JSONLine.text(of: line) : line.text)
                }
            }
        }
        bar.finish()
        let outcome = Outcome(
            blobs: report.progress.blobs, bytes: report.progress.bytes, containers: report.progress.containers,
            files: report.progress.keys, readBytes: report.progress.readBytes,
            findings: report.findings.values.reduce(0, +))
        try StandardOutput.write(line: json ? JSONLine.text(of: outcome) : outcome.text)
        guard report.isClean else {
            throw CommandFailure(description: "the store is not what the database says")
        }
    }
}

/// Something that is wrong, as fsck prints it.
struct FindingLine: Encodable {
    /// A stable name of the sort.
    let finding: String
    /// The name of a blob or of another file in the store, or the id of a container.
    let subject: String
    let detail: String

    init(_ finding: Fsck.Finding) {
        self.finding = finding.kind.rawValue
        subject = finding.subject
        detail = finding.detail
    }

    /// One line for people: a name in the store may be anybody's.
    var text: String { "\(finding): \(subject.escapedForDisplay): \(detail.escapedForDisplay)" }
}
