import Foundation
import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import storaged

/// From one directory into another: what is said of a bucket is the same, and a server shows it.
@Suite("copy-blobs")
struct CopyBlobsCommandTests {
    private let old: DataDirectory
    private let new: DataDirectory

    init() throws {
        (old, new) = (try DataDirectory(), try DataDirectory())
    }

    /// What daemons and the command are told while the bytes are on their way.
    private var moving: [String: String] { alone.merging(["blobs.fallback": "disk:\(old.path)"]) { $1 } }
    /// What they are told afterwards.
    private var alone: [String: String] { ["database.url": "sqlite:\(old.path)/storaged.sqlite"] }

    private func copy(_ settings: [String: String], _ arguments: [String]? = nil) throws -> Program {
        let flags = settings.merging(["data.directory": new.path]) { $1 }.map { "\($0.key.flagSpelling)=\($0.value)" }
        let places = arguments ?? ["--from", "disk:\(old.path)", "--to", "disk", "--json"]
        return try Program(["copy-blobs"] + places + ["--log-level", "error"] + flags, in: NSTemporaryDirectory())
    }

    private func fill() async throws {
        try await old.serve { client in
            for name in ["a", "b", "c"] {
                let answer = try await client.send(.put, "/api/files/\(name)", body: "content of \(name)")
                #expect(answer.status == .noContent)
            }
        }
    }

    @Test("moves what is there while a daemon serves both, which then needs the old store no more")
    func moves() async throws {
        try await fill()
        let files = try old.files
        try await new.serve(moving) { client in
            try await client.send(.put, "/api/files/d", body: "content of d")
            try await client.send(.delete, "/api/files/c")
            let early = try await client.send(.get, "/api/files/a")
            #expect(early.text == "content of a")

            let moved = try copy(moving)
            #expect(moved.status == 0, "\(moved.errors)")
            #expect(moved.output.contains(#""copied":3,"corrupt":0,"failed":0"#))
            let again = try copy(moving)
            #expect(again.output.contains(#""copied":0,"corrupt":0,"failed":0"#))
            for name in ["a", "b", "d"] {
                let read = try await client.send(.get, "/api/files/\(name)")
                #expect(read.text == "content of \(name)")
            }
        }
        #expect(try old.files == files)
        try FileManager.default.removeItem(atPath: old.path + "/containers")
        try await new.serve(alone) { client in
            for name in ["a", "b", "d"] {
                let read = try await client.send(.get, "/api/files/\(name)")
                #expect(read.text == "content of \(name)")
            }
        }
    }

    @Test("needs no daemon, but none that goes on with the old store alone")
    func withoutDaemon() async throws {
        try await fill()
        let daemon = try await Assembly(try old.configuration())
        let refused = try copy(moving)
        #expect(refused.status == 78)
        #expect(refused.errors.contains("Daemons may still write to the old store"))
        await daemon.close()
        #expect(try await old.refusal() == nil)

        let moved = try copy(moving)
        #expect(moved.status == 0, "\(moved.errors)")
        #expect(try await old.refusal() == .wrongStore)
        #expect(try await new.refusal(alone) == nil)
        #expect(try await new.refusal(moving) == nil)
    }

    @Test("names what is missing or damaged, copies the rest, and the old store stays needed")
    func damaged() async throws {
        try await fill()
        let files = try old.files
        try old.write("content of x", to: files[0])
        try FileManager.default.removeItem(atPath: "\(old.path)/\(files[1])")
        let moved = try copy(moving)
        #expect(moved.status == 1)
        #expect(moved.output.contains("\"blob\":\"\(files[0])\""))
        #expect(moved.output.contains("\"blob\":\"\(files[1])\""))
        #expect(moved.output.contains(#""copied":1,"corrupt":0,"failed":2"#))
        #expect(try new.files == [files[2]])
        #expect(try await new.refusal(alone) == .wrongStore)
        #expect(try await new.refusal(moving) == nil)
    }

    @Test(
        "is refused where daemons are not told the same, or for one store",
        arguments: [
            (["--from", "disk", "--to", "disk"], 64, "the same store"),
            (["--from", "tape", "--to", "s3"], 64, "--from"),
            (["--from", "disk", "--to", "s3"], 78, "blobs.store is 'disk'"),
            (["--from", "s3", "--to", "disk"], 78, "blobs.fallback is 'disk:"),
        ] as [([String], Int32, String)])
    func refused(arguments: [String], status: Int32, words: String) throws {
        let program = try copy(moving, arguments)
        #expect(program.status == status)
        #expect(program.errors.contains(words), "\(program.errors)")
        #expect(!FileManager.default.fileExists(atPath: new.path))
    }
}
