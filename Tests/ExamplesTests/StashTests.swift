import Foundation
import Testing

@Suite("stash, an archive over StorageCore alone")
struct StashTests {
    private static let hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

    /// The exit status of commands, and the last line that they printed.
    private func run(_ commands: String, in directory: String) async throws -> (status: Int32, last: String) {
        let result = try await Shell(in: directory).run(commands)
        return (result.status, result.output.split(separator: "\n").last.map(String.init) ?? "")
    }

    @Test("gives back what it was given, of any size, and keeps equal bytes once")
    func roundTrips() async throws {
        try await withTemporaryDirectory { directory in
            let (status, last) = try await run(
                """
                set -e
                : > empty; head -c 1 /dev/urandom > one; head -c 9000000 /dev/urandom > large; cp large twin
                stash put empty one large twin > kept
                sha256sum --check --quiet kept
                while read -r digest name; do
                    stash get "$digest" "got-$name"
                    cmp "$name" "got-$name"
                done < kept
                stash put large > again
                test "$(stash ls | wc -l)" = 3
                stash verify
                """, in: directory)
            #expect(last == "3 kept, 0 damaged")
            #expect(status == 0)
        }
    }

    @Test("finds flipped bits, and writes no file that has them")
    func damage() async throws {
        try await withTemporaryDirectory { directory in
            let file = "stash/store/58/\(Self.hello)"
            _ = try await run("printf 'hello\\n' > a; stash put a; printf 'jello\\n' > \(file)", in: directory)
            let verified = try await run("stash verify", in: directory)
            #expect(verified == (1, "1 kept, 1 damaged"))
            let got = try await run("stash get \(Self.hello) b", in: directory)
            #expect(got.status != 0)
            #expect(got.last.contains("corrupt"))
            #expect(!FileManager.default.fileExists(atPath: directory + "/b"))
        }
    }

    @Test("refuses in words what cannot be, and makes nothing")
    func refusals() async throws {
        try await withTemporaryDirectory { directory in
            for commands in [
                "stash ls", "stash verify", "stash get \(Self.hello) b", "stash get 58 b", "stash put missing",
            ] {
                let (status, last) = try await run(commands, in: directory)
                #expect(status != 0, "\(commands)")
                #expect(!last.isEmpty, "\(commands)")
            }
            let existing = try await run(
                "printf 'hello\\n' > a; stash put a; echo mine > b; stash get \(Self.hello) b", in: directory)
            #expect(existing.status != 0)
            let left = try await run("cat b", in: directory)
            #expect(left == (0, "mine"))
        }
    }
}
