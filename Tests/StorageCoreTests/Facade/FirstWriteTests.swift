import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("A container token")
struct FirstWriteTests {
    @Test("gets exactly one account, however many first uploads come at once")
    func oneAccount() async throws {
        let fixture = StorageFixture()
        let token = TokenDigest.random()
        let principal = Principal(identity: .newContainer(token))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask { try await fixture.storage.put("text \(number)", at: "\(100 + number)", as: principal) }
            }
            try await group.waitForAll()
        }
        let accounts = try await fixture.metadata.accounts(after: 0, limit: 100)
        #expect(accounts.map(\.kind) == [.token])
        #expect(accounts.map(\.login) == [nil])
        let known = try await fixture.principal(of: token)
        let tree = try await fixture.storage.tree(of: known)
        #expect(tree == (100..<120).map { "\($0)" })
        let usage = try await fixture.storage.usage(of: known)
        #expect(usage.files == 20)
        #expect(fixture.blobs.isTidy)
    }

    @Test("lets exactly one of many first uploads to one path win")
    func oneWinner() async throws {
        let fixture = StorageFixture()
        let token = TokenDigest.random()
        let principal = Principal(identity: .newContainer(token))
        let winners = await withTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let file = NewFile(path: FilePath(stored: [0x61]), precondition: Precondition(ifNoneMatch: .any))
                    let body = ByteStream(ByteBuffer(string: "text \(number)"))
                    return (try? await fixture.storage.put(file, body: body, as: principal)) == nil ? 0 : 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(winners == 1)
    }

    @Test(
        "gets a space of its own unless nothing is isolated",
        arguments: [(.tokens, true), (.all, true), (.none, false)] as [(FileStorage.Policy.Isolation, Bool)])
    func space(isolation: FileStorage.Policy.Isolation, isOwn: Bool) async throws {
        let fixture = StorageFixture { $0.isolation = isolation }
        let principal = Principal(identity: .newContainer(.random()))
        let key = try await fixture.storage.put("x", at: "a", as: principal).record?.revision?.blob
        #expect((key?.space != .shared) == isOwn)
    }

    @Test("that nothing was written under reads as empty and is made by no reading")
    func readingCreatesNothing() async throws {
        let fixture = StorageFixture()
        let principal = Principal(identity: .newContainer(.random()))
        let tree = try await fixture.storage.tree(of: principal)
        #expect(tree.isEmpty)
        let usage = try await fixture.storage.usage(of: principal)
        #expect(usage == Usage())
        #expect(fixture.storage.container(of: principal) == nil)
        let accounts = try await fixture.metadata.accounts(after: 0, limit: 10)
        #expect(accounts.isEmpty)
    }

    @Test("is made by no upload that breaks off")
    func brokenUpload() async throws {
        struct BodyFailure: Error {}
        let fixture = StorageFixture()
        let principal = Principal(identity: .newContainer(.random()))
        let body = ByteStream(length: nil, isReplayable: false) { { throw BodyFailure() } }
        await #expect(throws: BodyFailure.self) {
            try await fixture.storage.put(NewFile(path: try FilePath("a")), body: body, as: principal)
        }
        let accounts = try await fixture.metadata.accounts(after: 0, limit: 10)
        #expect(accounts.isEmpty)
    }

    @Test("gets its container by making a folder, too")
    func folder() async throws {
        let fixture = StorageFixture()
        let token = TokenDigest.random()
        _ = try await fixture.storage.makeFolder(try FilePath("a"), as: Principal(identity: .newContainer(token)))
        let tree = try await fixture.storage.tree(of: try await fixture.principal(of: token))
        #expect(tree == ["a/"])
    }
}
