import Foundation
import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import storaged

@Suite("Commands beside a daemon")
struct BesideDaemonTests {
    /// Opens the stores as commands do; the code of the refusal, nil when they open.
    private func refusal(_ directory: DataDirectory, _ settings: [String: String] = [:]) async throws
        -> StorageError.Code?
    {
        do {
            await (try await Stores(beside: try directory.configuration(settings))).close()
            return nil
        } catch let error as StorageError {
            return error.code
        }
    }

    private func contents(_ path: String) -> [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: path).sorted()) ?? ["nothing"]
    }

    @Test("open what a daemon serves, while it serves and after it has ended")
    func beside() async throws {
        let directory = try DataDirectory()
        let daemon = try await Assembly(try directory.configuration())
        #expect(try await refusal(directory) == nil)
        #expect(try await refusal(directory) == nil)
        await daemon.close()
        #expect(try await refusal(directory) == nil)
        #expect(try await directory.refusal() == nil)
    }

    @Test("are refused where no daemon ever was, and make nothing")
    func nothing() async throws {
        let directory = try DataDirectory()
        #expect(try await refusal(directory) == .wrongStore)
        #expect(!FileManager.default.fileExists(atPath: directory.path))
        try FileManager.default.createDirectory(
            atPath: directory.path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        #expect(try await refusal(directory) == .wrongStore)
        #expect(contents(directory.path) == [])
        try directory.write("private", to: "letter.txt")
        #expect(try await refusal(directory) == .wrongStore)
        #expect(contents(directory.path) == ["letter.txt"])
    }

    @Test("are refused when the database is missing, empty or somebody else's, and leave it alone")
    func databases() async throws {
        let directory = try DataDirectory()
        #expect(try await directory.refusal() == nil)
        try directory.removeDatabase()
        let before = contents(directory.path)
        #expect(try await refusal(directory) == .wrongStore)
        #expect(contents(directory.path) == before)
        for text in ["", "no database at all"] {
            try directory.write(text, to: "storaged.sqlite")
            #expect(try await refusal(directory) == .wrongStore)
            #expect(try directory.read("storaged.sqlite") == text)
            #expect(contents(directory.path) == (before + ["storaged.sqlite"]).sorted())
        }
    }

    @Test("are refused when store and database do not belong together")
    func mismatch() async throws {
        let (one, other) = (try DataDirectory(), try DataDirectory())
        for directory in [one, other] { #expect(try await directory.refusal() == nil) }
        let settings = ["database.url": "sqlite:\(one.path)/storaged.sqlite"]
        #expect(try await refusal(other, settings) == .wrongStore)
    }

    @Test("are refused for a store in memory, which only its daemon can reach")
    func memory() async throws {
        let directory = try DataDirectory()
        #expect(try await refusal(directory, ["database.url": "memory:"]) == .wrongStore)
        #expect(!FileManager.default.fileExists(atPath: directory.path))
    }

    @Test(
        "end with 78 and make nothing when there is no store",
        arguments: [["gc"], ["gc", "--json"], ["import", ".", "--account", "ann"], ["user", "list"]])
    func status(arguments: [String]) throws {
        let tree = try LocalTree()
        for settings in [[], ["--database-url", "memory:"], ["--data-directory", "below/data"]] {
            let program = try Program(arguments + settings, in: tree.path)
            #expect(program.status == 78)
            #expect(program.output == "")
            #expect(program.errors.hasPrefix("storaged: "))
            #expect(contents(tree.path) == [])
        }
    }

    @Test("gc deletes what the daemon's clients deleted, at once where it is told so")
    func collect() async throws {
        let directory = try DataDirectory()
        try await directory.serve { client in
            for name in ["a", "b", "c"] {
                try await client.send(.put, "/api/files/\(name)", body: "content of \(name)")
            }
            try await client.send(.delete, "/api/files/a")
            try await client.send(.delete, "/api/files/b")
            func collect(_ arguments: String...) throws -> Program {
                try Program(
                    ["gc", "--json", "--data-directory", directory.path] + arguments, in: NSTemporaryDirectory())
            }
            #expect(try collect().output == "{\"blobs\":0,\"bytes\":0,\"uploads\":0}\n")
            #expect(try directory.files.count == 3)
            #expect(try collect("--grace", "0").output == "{\"blobs\":2,\"bytes\":24,\"uploads\":0}\n")
            #expect(try directory.files.count == 1)
            let left = try await client.send(.get, "/api/files/c")
            #expect(left.text == "content of c")
        }
    }

    @Test("gc takes a period and nothing else", arguments: ["soon", "-1", "5m"])
    func grace(text: String) throws {
        let program = try Program(["gc", "--grace=\(text)"], in: NSTemporaryDirectory())
        #expect(program.status == 64)
        #expect(program.errors.contains("a duration"))
    }
}
