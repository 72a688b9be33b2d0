import NIOCore
import StorageCore
import Testing

@Suite("Upload")
struct UploadTests {
    @Test("makes bytes durable before anything refers to them, and gives the staging back at the end")
    func order() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let result = try await fixture.storage.put("hello", at: "a/b.txt", as: ann)
        #expect(fixture.journal.calls == [.stage, .claim, .publish, .commit, .discard])
        guard case .created(let record) = result else {
            Issue.record("A new file must be created, not \(result).")
            return
        }
        #expect(record.path.text == "a/b.txt")
        #expect(record.revision?.size == 5)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["a/", "a/b.txt"])
        let text = try await fixture.storage.text(at: "a/b.txt", of: ann)
        #expect(text == "hello")
    }

    @Test("of bytes without the digest that was promised for them stores nothing, and gives the staging back")
    func promisedDigest() async throws {
        struct WrongDigest: Error {}
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let digest = try SHA256.digest(of: ByteBuffer(string: "hello"))
        for (text, isRight) in [("hallo", false), ("hello", true)] {
            fixture.journal.clear()
            let body = ByteStream(ByteBuffer(string: text)).confirming {
                guard $0 == digest else { throw WrongDigest() }
            }
            let file = NewFile(path: try FilePath("a"))
            if isRight {
                _ = try await fixture.storage.put(file, body: body, as: ann)
                #expect(fixture.journal.calls == [.stage, .claim, .publish, .commit, .discard])
            } else {
                await #expect(throws: WrongDigest.self) {
                    try await fixture.storage.put(file, body: body, as: ann)
                }
                #expect(fixture.journal.calls == [.stage, .discard])
            }
        }
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "hello")
    }

    @Test("of bytes that the store has does not write them again, but looks that they are there")
    func secondCopy() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        fixture.journal.clear()
        try await fixture.storage.put("hello", at: "b", as: ann)
        #expect(fixture.journal.calls == [.stage, .claim, .info, .commit, .discard])
        let keys = try await fixture.keys()
        #expect(keys.count == 1)
    }

    @Test("of the same bytes, type and sent name over the same path changes nothing")
    func sameAgain() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let first = try await fixture.storage.put("hello", at: "a", as: ann).record
        let second = try await fixture.storage.put("hello", at: "a", as: ann)
        #expect(second == first.map { .updated($0) })
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 5, files: 1))
    }

    @Test(
        "of the same bytes under another type or sent name is a new revision",
        arguments: [(MediaType("text/html"), nil), (MediaType("text/plain"), "b.txt"), (nil, "a")])
    func otherDescription(type: MediaType?, name: String?) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let first = try await fixture.storage.put("hello", at: "a", as: ann).record
        let file = NewFile(path: try FilePath("a"), mediaType: type, sentName: name)
        let second = try await fixture.storage.put(file, body: ByteStream(ByteBuffer(string: "hello")), as: ann).record
        #expect(second?.id == first?.id)
        #expect(second?.revision?.id != first?.revision?.id)
        #expect(second?.revision?.mediaType == type ?? .octetStream)
        #expect(second?.revision?.sentName == name)
    }

    @Test("takes the media type and the kind from the name where nobody says more")
    func typeByName() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let file = NewFile(path: try FilePath("pictures/a.png"))
        let record = try await fixture.storage.put(file, body: ByteStream(ByteBuffer(string: "x")), as: ann).record
        #expect(record?.revision?.mediaType.description == "image/png")
        #expect(record?.kind == .image)
    }

    @Test("of a body without bytes makes a file without bytes")
    func emptyBody() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let result = try await fixture.storage.put("", at: "empty", as: ann)
        #expect(result.record?.revision?.size == 0)
        let text = try await fixture.storage.text(at: "empty", of: ann)
        #expect(text.isEmpty)
    }

    @Test("of one staged body at several paths needs one discard")
    func stagedTwice() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let staged = try await fixture.storage.stage(ByteStream(ByteBuffer(string: "hello")), as: ann)
        for path in ["a", "b"] {
            _ = try await fixture.storage.put(NewFile(path: try FilePath(path)), staged: staged, as: ann)
        }
        await fixture.storage.discard(staged)
        #expect(fixture.blobs.isTidy)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["a", "b"])
    }

    /// What can go wrong on the way, and whether the bytes had been staged by then.
    enum Fault: CaseIterable {
        case body
        case claim
        case publication
        case commit
        case condition
        case conflict
    }

    private struct BodyFailure: Error {}

    @Test(
        "that fails leaves nothing: staging given back once, upload abandoned, nothing visible",
        arguments: Fault.allCases)
    func failure(_ fault: Fault) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("old", at: "kept/old.txt", as: ann)
        fixture.journal.clear()
        var file = NewFile(path: try FilePath("kept/new.txt"))
        switch fault {
        case .body: break
        case .claim: fixture.metadata.plan { $0.claims = [.unavailable] }
        case .publication: fixture.blobs.plan { $0.publications = [.insufficientStorage] }
        case .commit: fixture.metadata.plan { $0.commits = [.refused(.unavailable)] }
        case .condition: file.precondition.ifMatch = .any
        case .conflict: file.path = try FilePath("kept")
        }
        let body = ByteStream(length: nil, isReplayable: false) {
            var chunks = [ByteBuffer(string: "new"), ByteBuffer(string: "er")]
            return {
                if chunks.isEmpty, fault == .body { throw BodyFailure() }
                return chunks.isEmpty ? nil : chunks.removeFirst()
            }
        }
        // The admission would refuse a condition at once; the commit decides for what was staged before.
        await #expect(throws: (any Error).self) {
            let staged = try await fixture.storage.stage(body, as: ann)
            do {
                _ = try await fixture.storage.put(file, staged: staged, as: ann)
            } catch {
                await fixture.storage.discard(staged)
                throw error
            }
        }
        #expect(fixture.blobs.isTidy)
        // Of a store that was not there more is not asked; the sweeper gives back what stays.
        let isGone = fault == .commit
        #expect(isGone || Set(fixture.metadata.claimed.dropFirst()).isSubset(of: fixture.metadata.abandoned))
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["kept/", "kept/old.txt"])
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 3, files: 1))
    }

    @Test("in one call that fails gives the staging back once", arguments: [Fault.claim, .publication, .commit])
    func failureInOneCall(_ fault: Fault) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        switch fault {
        case .claim: fixture.metadata.plan { $0.claims = [.unavailable] }
        case .publication: fixture.blobs.plan { $0.publications = [.insufficientStorage] }
        default: fixture.metadata.plan { $0.commits = [.refused(.preconditionFailed)] }
        }
        await #expect(throws: StorageError.self) { try await fixture.storage.put("new", at: "a", as: ann) }
        #expect(fixture.blobs.isTidy)
        #expect(fixture.journal.count(.discard) == 1)
        #expect(fixture.journal.count(.abandon) == (fault == .claim ? 0 : 1))
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree.isEmpty)
    }

    @Test("passes on what a body that breaks off throws")
    func bodyFailure() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let body = ByteStream(length: 10, isReplayable: false) { { throw BodyFailure() } }
        await #expect(throws: BodyFailure.self) {
            try await fixture.storage.put(NewFile(path: try FilePath("a")), body: body, as: ann)
        }
        #expect(fixture.blobs.isTidy)
        #expect(fixture.journal.calls == [.stage])
    }

    @Test("of many at once with If-None-Match: * is won by exactly one")
    func oneWinner() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let winners = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    do {
                        let file = NewFile(path: try FilePath("a"), precondition: Precondition(ifNoneMatch: .any))
                        let body = ByteStream(ByteBuffer(string: "text \(number)"))
                        _ = try await fixture.storage.put(file, body: body, as: ann)
                        return true
                    } catch {
                        #expect((error as? StorageError)?.code == .preconditionFailed)
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
        #expect(fixture.blobs.isTidy)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage.files == 1)
        #expect(usage.revisionBytes == 0)
    }
}
