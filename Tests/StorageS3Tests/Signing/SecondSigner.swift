import Foundation

/// A signer by other people: botocore, in a Python of its own.
struct SecondSigner {
    /// A request to be signed, and by whom.
    struct Question: Encodable {
        var accessKey: String
        var secretKey: String
        var sessionToken: String?
        var region: String
        var seconds: Int64
        var method: String
        var authority: String
        /// In hex, because paths need not be text.
        var path: String
        var query: [[String]]
        var headers: [[String]]
        /// In hex.
        var body: String
    }

    struct Answer: Equatable {
        let authorization: String
        let path: String
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A Python that has botocore: the one of `STORAGED_TEST_PYTHON`, or that of the acceptance tests; nil where neither does.
    static let python: URL? = {
        let named = ProcessInfo.processInfo.environment["STORAGED_TEST_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
        let python =
            named.map { URL(fileURLWithPath: $0) } ?? root.appendingPathComponent(".build-tools/venv/bin/python")
        let trial = Process()
        trial.executableURL = python
        trial.arguments = ["-c", "import botocore.auth"]
        trial.standardError = FileHandle.nullDevice
        guard (try? trial.run()) != nil else { return nil }
        trial.waitUntilExit()
        return trial.terminationStatus == 0 ? python : nil
    }()

    /// Where tests must not be left out they run, and fail without it.
    static var isNeeded: Bool { python != nil || ProcessInfo.processInfo.environment["CI"] == "true" }

    /// Signs all of them in one process.
    static func sign(_ questions: [Question]) throws -> [Answer] {
        guard let python else {
            throw Failure(description: "no Python with botocore: scripts/bootstrap test makes one")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (asked, answered) = (folder.appendingPathComponent("asked"), folder.appendingPathComponent("answered"))
        let lines = try questions.map { try JSONEncoder().encode($0) }
        try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: asked)
        try Data().write(to: answered)

        let process = Process()
        process.executableURL = python
        process.arguments = [root.appendingPathComponent("Tests/Fixtures/second-signer.py").path]
        process.standardInput = try FileHandle(forReadingFrom: asked)
        process.standardOutput = try FileHandle(forWritingTo: answered)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "the second signer ended early") }
        let text = String(decoding: try Data(contentsOf: answered), as: UTF8.self)
        return text.split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Answer(authorization: parts[0], path: parts.last ?? "")
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}
