import Foundation
import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import storaged

@Suite("copy-metadata")
struct CopyMetadataCommandTests {
    private func copy(_ directory: DataDirectory, _ arguments: String...) throws -> Program {
        try Program(
            ["copy-metadata", "--from", "sqlite:\(directory.path)/storaged.sqlite", "--log-level", "error"] + arguments,
            in: NSTemporaryDirectory())
    }

    @Test("moves what a daemon has, which the daemon refuses to change and another on the new database serves")
    func moves() async throws {
        let directory = try DataDirectory()
        let target = "sqlite:\(directory.path)/new.sqlite"
        try await directory.serve { client in
            try await client.send(.put, "/api/files/a", body: "content of a")
            let moved = try copy(directory, "--to", target, "--json")
            #expect(moved.status == 0, "\(moved.errors)")
            #expect(moved.output.contains("/data/new.sqlite"))
            let write = try await client.send(.put, "/api/files/b", body: "too late")
            #expect(write.status == .serviceUnavailable)
            #expect(write.headers[.retryAfter] != nil)
            let read = try await client.send(.get, "/api/files/a")
            #expect(read.text == "content of a")
            let ready = try await client.send(.get, "/readyz", token: nil)
            #expect(ready.status == .ok)
        }
        let refusal = try await directory.refusal()
        #expect(refusal == .wrongStore)
        try await directory.serve(["database.url": target]) { client in
            let read = try await client.send(.get, "/api/files/a")
            #expect(read.text == "content of a")
            let write = try await client.send(.put, "/api/files/b", body: "in time")
            #expect(write.status == .noContent)
        }
    }

    @Test("shows a way without its password, whatever is wrong with it")
    func secrets() throws {
        let directory = try DataDirectory()
        let program = try copy(directory, "--to", "mysql://ann:hunter2@localhost/x")
        #expect(program.status == 64)
        #expect(program.errors.contains("--to"))
        #expect(!(program.errors + program.output).contains("hunter2"))
    }

    @Test("gives up what was never begun without a word of harm")
    func nothingToGiveUp() async throws {
        let directory = try DataDirectory()
        #expect(try await directory.refusal() == nil)
        let program = try copy(directory, "--give-up", "--json")
        #expect(program.status == 0)
        #expect(program.output.hasSuffix(#""was_frozen":false}"# + "\n"))
    }
}
