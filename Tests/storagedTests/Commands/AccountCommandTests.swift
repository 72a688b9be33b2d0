import Foundation
import StorageCore
import Testing

@testable import storaged

@Suite("Commands for accounts")
struct AccountCommandTests {
    @Test(
        "a password is taken key by key, with the usual corrections, and given up by the usual keys",
        arguments: [
            ("secret\n", "secret", .done), ("secret\r", "secret", .done), ("a\u{7F}b\n", "b", .done),
            ("\u{8}\u{8}x\n", "x", .done), ("aé\u{7F}\n", "a", .done), ("漢字\u{7F}\n", "漢", .done),
            ("wrong\u{15}right\n", "right", .done), ("\n", "", .done), ("abc\u{4}", "abc", .done),
            ("\u{4}", "", .aborted), ("abc\u{3}", "abc", .aborted), ("\u{1A}", "", .aborted), ("abc", "abc", .more),
        ] as [(String, String, PasswordLine.State)])
    func passwordLine(typed: String, text: String, state: PasswordLine.State) {
        var line = PasswordLine()
        var last = PasswordLine.State.more
        for byte in typed.utf8 where last == .more { last = line.take(byte) }
        #expect(last == state)
        #expect(line.bytes == Array(text.utf8))
    }

    @Test(
        "a quota is shown as it is in force, with who says so",
        arguments: [
            (nil, nil, nil, "none (default)"), (nil, nil, 1_024, "1.0 KiB (default)"), (10 << 30, nil, 1, "10.0 GiB"),
            (.max, nil, 5, "none"), (.max, .max, nil, "none"), (nil, 5, nil, "none (default), 5 files"),
            (1_024, 5, nil, "1.0 KiB, 5 files"), (.max, 0, nil, "none, 0 files"), (0, .max, nil, "0 bytes, none"),
        ] as [(Int64?, Int64?, Int64?, String)])
    func quota(bytes: Int64?, files: Int64?, byDefault: Int64?, text: String) throws {
        let container = Container(
            id: ContainerID(), space: .shared, keepsRevisions: true, limits: ContainerLimits(bytes: bytes, files: files)
        )
        let account = Account(
            id: AccountID(), serial: 1, kind: .registered, role: .user, login: nil, createdAt: .now(), disabledAt: nil,
            container: container)
        let line = AccountLine(account, Usage(), defaults: ContainerLimits(bytes: byDefault))
        #expect(line.quota == text)
        let json = try JSONLine.text(of: line)
        #expect(!json.contains("9223372036854775807"))
        #expect(json.contains(#""limit_bytes":null"#) == (text.hasPrefix("none")))
        #expect(json.contains(#""login":null"#))
    }

    @Test(
        "a limit is a number, none or default",
        arguments: [
            ("10GiB", true, 10 << 30), ("0", true, 0), ("none", true, ContainerLimits.unlimited),
            ("default", true, nil), ("500", false, 500), ("NONE", false, ContainerLimits.unlimited),
        ] as [(String, Bool, Int64?)])
    func limit(text: String, isSize: Bool, value: Int64?) throws {
        #expect(try CommandValue.limit(text, isSize: isSize) == QuotaLimit(value: value))
    }

    @Test(
        "a limit is nothing else", arguments: [("much", true), ("-1", true), ("1k", false), ("", false), ("1.5", true)])
    func wrongLimit(text: String, isSize: Bool) {
        #expect(throws: (any Error).self) { try CommandValue.limit(text, isSize: isSize) }
    }

    /// A directory that a daemon has used, and commands in it.
    private func store() async throws -> (DataDirectory, (_ arguments: [String], _ input: String?) throws -> Program) {
        let directory = try DataDirectory()
        #expect(try await directory.refusal() == nil)
        return (
            directory,
            { arguments, input in
                try Program(
                    arguments + ["--data-directory", directory.path, "--log-level", "error"],
                    in: NSTemporaryDirectory(), input: input)
            }
        )
    }

    @Test("refuse what cannot be, with a status of its own and one line on stderr")
    func refusals() async throws {
        let (_, run) = try await store()
        #expect(try run(["user", "add", "ann", "--password-stdin"], "correct horse\n").status == 0)
        let rows: [(arguments: [String], input: String?, status: Int32, words: String)] = [
            (["user", "add", "ann", "--password-stdin"], "other horse\n", 1, "is taken"),
            (["user", "add", "a:b", "--password-stdin"], "correct horse\n", 1, "without a colon"),
            (["user", "add", "public", "--password-stdin"], "correct horse\n", 1, "reserved"),
            (["user", "add", "bob", "--password-stdin"], "short\n", 1, "8 to 1024 bytes"),
            (["user", "add", "bob", "--password-stdin"], "password1\n", 1, "most common"),
            (["user", "add", "bob", "--password-stdin"], "", 1, "8 to 1024 bytes"),
            (["user", "password", "bob", "--password-stdin"], "correct horse\n", 67, "no account 'bob'"),
            (["user", "disable", "bob"], nil, 67, "no account 'bob'"),
            (["user", "delete", "ann"], nil, 1, "--yes"),
            (["user", "quota", "ann", "--bytes", "much"], nil, 64, "a size"),
            (["user", "add"], nil, 64, "login"),
            (["token", "add"], nil, 64, "--container"),
            (["token", "add", "bob"], nil, 67, "no account 'bob'"),
            (["token", "add", "--container", "--token-stdin"], "123\n", 64, "give a UUID"),
            (["token", "add", "--container", "--token-stdin"], "", 64, "give a UUID"),
            (
                ["token", "add", "--container", "--token-stdin"], "00000000-0000-0000-0000-000000000000\n", 64,
                "give a UUID"
            ),
            (["token", "add", "--container", "2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e"], nil, 64, "--token-stdin"),
            (["token", "add", "ann", "--token-stdin"], nil, 64, "--container"),
            (["token", "revoke", "ann", "hunter2"], nil, 64, "no id of a token"),
            (["token", "revoke", "ann", "2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e"], nil, 1, "no such token"),
        ]
        for row in rows {
            let program = try run(row.arguments, row.input)
            #expect(program.status == row.status, "\(row.arguments): \(program.errors)")
            #expect(program.errors.contains(row.words), "\(row.arguments): \(program.errors)")
            #expect(program.output == "")
            #expect(
                !program.errors.contains("hunter2") && !program.errors.contains("2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e"))
        }
        let listed = try run(["user", "list", "--json"], nil).output.split(separator: "\n")
        #expect(listed.count == 1)
    }

    @Test("know a container's token that they are given, and refuse one that was revoked by name of the reason")
    func containerTokens() async throws {
        let (_, run) = try await store()
        let token = "2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e"
        let add = ["token", "add", "--container", "--token-stdin"]
        let made = try run(add, token.uppercased() + "\n")
        #expect(made.output == token + "\n")
        #expect(try run(add, token).status == 0)
        let table = try run(["user", "list"], nil).output.split(separator: "\n")
        let account = try #require(table.last?.split(separator: " ").last.map(String.init))
        let tokens = try run(["token", "list", account, "--json"], nil).output
        #expect(tokens.contains(#""last_used_at":null"#))
        #expect(tokens.contains(#""expires_at":null"#))
        let id = try #require(tokens.split(separator: #""id":""#).last?.prefix(36).description)
        let revoked = try run(["token", "revoke", account, id, "--json"], nil)
        #expect(revoked.output == #"{"account":"\#(account)","id":"\#(id)"}"# + "\n")
        let again = try run(add, token)
        #expect(again.status == 1)
        #expect(again.errors.contains("revoked"))
    }

    @Test("show when a token ends if nobody uses it")
    func idleTokens() async throws {
        let (_, run) = try await store()
        #expect(try run(["user", "add", "ann", "--password-stdin"], "correct horse\n").status == 0)
        #expect(
            try run(["token", "add", "ann", "--auth-token-idle", "1h", "--auth-token-lifetime", "30d"], nil).status == 0
        )
        let row = try #require(try run(["token", "list", "ann"], nil).output.split(separator: "\n").last)
        let cells = row.split(separator: " ").map(String.init)
        #expect(cells[3] == "never")
        let ends = try Date(cells[4], strategy: .iso8601)
        #expect(ends.timeIntervalSinceNow > 3_000 && ends.timeIntervalSinceNow < 3_601)
    }

    @Test("fail when what they print cannot be written")
    func outputError() async throws {
        let (directory, _) = try await store()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("storaged")
        process.arguments = ["token", "add", "--container", "--data-directory", directory.path]
        let errors = Pipe()
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = errors
        process.environment = [:]
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 74)
        #expect(text.contains("nobody has seen it"))
    }

    @Test("never read a password from their arguments")
    func noPasswordArgument() throws {
        for arguments in [["user", "add", "ann", "secret"], ["user", "add", "ann", "--password", "secret"]] {
            let program = try Program(arguments, in: NSTemporaryDirectory())
            #expect(program.status == 64 || program.status == 78)
        }
    }

    @Test("show an account of every kind, and tell those without a login apart by their ids")
    func accounts() async throws {
        let (_, run) = try await store()
        let made = try run(["user", "add", "ann", "--admin", "--password-stdin", "--json"], "correct horse\r\n").output
        #expect(made.contains(#""login":"ann""#))
        #expect(made.contains(#""role":"admin""#))
        let container = try run(["token", "add", "--container"], nil)
        #expect(container.status == 0)
        #expect(UUID(uuidString: container.output.trimmingCharacters(in: .whitespacesAndNewlines)) != nil)
        let table = try run(["user", "list"], nil).output.split(separator: "\n").map(String.init)
        #expect(table.count == 3)
        #expect(table[0].hasPrefix("LOGIN "))
        #expect(table[1].hasPrefix("ann "))
        #expect(table[2].hasPrefix("(token) "))
        #expect(!table[2].contains(container.output.dropLast()))
        let id = try #require(table[2].split(separator: " ").last.map(String.init))
        #expect(try run(["user", "disable", id], nil).status == 0)
        #expect(try run(["user", "list"], nil).output.contains("disabled"))
        let tokens = try run(["token", "list", id], nil).output
        #expect(tokens.contains("container"))
        #expect(!tokens.contains(container.output.dropLast()))
    }

    @Test("make the administrator of the configuration once, and never change one")
    func administrator() async throws {
        let directory = try DataDirectory()
        let settings = ["admin.email": "admin@gmail.com", "admin.password": "admin@gmail.com"]
        #expect(try await directory.refusal(settings) == nil)
        #expect(try await directory.refusal(settings.merging(["admin.password": "another one"]) { $1 }) == nil)
        let stores = try await Stores(beside: try directory.configuration())
        let record = try await stores.metadata.account(.login(try Login(Array("admin@gmail.com".utf8))))
        let hash = try #require(record?.passwordHash)
        #expect(record?.account.role == .admin)
        #expect(try await PasswordHasher().verify(Array("admin@gmail.com".utf8), against: hash).isValid)
        await stores.close()
    }
}
