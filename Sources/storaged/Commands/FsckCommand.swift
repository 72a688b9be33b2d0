import ArgumentParser
import Logging
import StorageCore

/// `storaged fsck`: whether everything is there that the database says.
struct FsckCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Compare the database with the store; beside a running daemon or without one. Changes nothing.",
        discussion: """
            Every blob that may be served must have bytes of its size, every file such a blob, and every count must be \
            right. Ends with 0 when all is well, with 1 when something is wrong. \(SettingsHelp.reference)
            """)

    @Flag(help: "print one JSON object a line: what is wrong, and the numbers at the end")
    var json = false

    /// The numbers at the end.
    struct Outcome: Encodable {
        let blobs: Int
        let bytes: Int64
        let containers: Int
        let findings: Int
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let bar = ProgressBar(total: .init(), descriptor: ProgressBar.isWanted ? 2 : nil)
        defer { bar.finish() }
        let report = try await Wiring.besideDaemon(configuration) { stores in
            try await Fsck(metadata: stores.metadata, blobs: stores.blobs).run {
                bar.show($0.blobs + $0.containers)
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
            findings: report.findings.values.reduce(0, +))
        try StandardOutput.write(
            line: json
                ? JSONLine.text(of: outcome)
                : "checked \(outcome.blobs) blobs (\(ByteText.of(outcome.bytes))) and \(outcome.containers) containers:"
                    + " \(outcome.findings == 0 ? "all is well" : "\(outcome.findings) findings")")
        guard report.isClean else {
            throw CommandFailure(description: "the store is not what the database says")
        }
    }
}

/// Something that is wrong, as fsck prints it.
struct FindingLine: Encodable {
    /// A stable name of the sort.
    let finding: String
    /// The name of a blob, or the id of a container.
    let subject: String
    let detail: String

    init(_ finding: Fsck.Finding) {
        self.finding = finding.kind.rawValue
        subject = finding.subject
        detail = finding.detail
    }

    /// One line for people.
    var text: String { "\(finding): \(subject): \(detail)" }
}
