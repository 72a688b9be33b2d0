import Foundation
import Testing

@Suite("The commands in Examples/README.md")
struct ReadmeTests {
    /// A fenced block of the document.
    struct Block {
        let language: String
        let text: String
    }

    /// Commands, and the text that they print according to the document.
    struct Session {
        let commands: String
        let output: String
    }

    private static func blocks() throws -> [Block] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let text = try String(contentsOf: root.appendingPathComponent("Examples/README.md"), encoding: .utf8)
        // Every second part between two fences is a block, whose first line is its language.
        let parts = "\n\(text)".components(separatedBy: "\n```")
        return stride(from: 1, to: parts.count, by: 2).map { index in
            let lines = parts[index].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return Block(language: String(lines[0]), text: lines.dropFirst().first.map { "\($0)\n" } ?? "")
        }
    }

    /// The one session whose commands have this word.
    private static func session(with word: String) throws -> Session {
        let blocks = try blocks()
        let sessions = zip(blocks, blocks.dropFirst()).filter { $0.language == "sh" && $1.language == "text" }
            .map { Session(commands: $0.text, output: $1.text) }
        #expect(sessions.count == 2, "Every block with an output is run by a test.")
        return try #require(sessions.first { $0.commands.contains(word) })
    }

    @Test("print what it says: stash")
    func stash() async throws {
        let session = try Self.session(with: "stash put")
        try await withTemporaryDirectory { directory in
            let result = try await Shell(in: directory).run(session.commands)
            #expect(result.output == session.output)
            #expect(result.status == 0)
        }
    }

    @Test("print what it says: web-app")
    func webApp() async throws {
        let session = try Self.session(with: "/notes/today.txt")
        let start = try #require(try Self.blocks().first { $0.text.hasPrefix("web-app ") }).text
        try await withTemporaryDirectory { directory in
            let shell = Shell(in: directory)
            let command = start.replacingOccurrences(of: "8080", with: "0").trimmingCharacters(in: .newlines)
            let (server, line) = try await shell.start(command, until: "listening on")
            let port = line.split(separator: ":").last.flatMap { Int($0) }
            let commands = session.commands.replacingOccurrences(of: "8080", with: "\(port ?? 0)")
            let result = try await shell.run(commands)
            let status = await shell.stop(server)
            #expect(port != nil, "\(line)")
            #expect(result.output == session.output)
            #expect(result.status == 0)
            #expect(status == 0, "A signal ends it in order.")
        }
    }
}
