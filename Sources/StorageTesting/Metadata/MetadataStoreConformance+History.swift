import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Looking at older revisions.
    static let history: [Clause] = [
        clause(
            "The kept revisions come newest first, the current one among them, each with its own bytes, type and name."
        ) {
            scene in
            let contents = [1, 10, 100].map { TestContent(size: $0) }
            var made: [Revision] = []
            for (index, content) in contents.enumerated() {
                let record = try await scene.write(
                    content, at: "a", type: "text/x-\(index)", name: "name \(index)"
                ).record.required()
                made.append(try record.revision.required())
            }
            let revisions = try await scene.revisions("a")
            let file = try await scene.file("a").required()
            #expect(revisions.map(\.revision) == made.reversed())
            #expect(revisions.allSatisfy { $0.id == file.id && $0.path == file.path })
            #expect(revisions.map(\.createdAt) == Array(repeating: file.createdAt, count: 3))
            #expect(revisions.map(\.modifiedAt) == made.reversed().map(\.createdAt))
        },
        clause("No more revisions come than are wanted, and none that is not kept.") { scene in
            for size in 1...4 { try await scene.write(TestContent(size: Int64(size)), at: "a", keep: 2) }
            let all = try await scene.revisions("a")
            let some = try await scene.revisions("a", limit: 2)
            #expect(all.map(\.revision?.size) == [4, 3, 2])
            #expect(some == Array(all.prefix(2)))
        },
        clause("A folder has no revisions; what is not there, and another's file, is nothing.") { scene in
            let other = try await scene.account()
            let theirs = try await scene.write(TestContent(), at: "a", in: other).record.required()
            try await scene.makeFolder("f")
            let folder = try await scene.revisions("f")
            let missing = try await scene.store.revisions(of: scene.selector("a"), limit: 10)
            let foreign = try await scene.store.revisions(of: .id(scene.owner.container.id, theirs.id), limit: 10)
            #expect(folder.isEmpty)
            #expect(missing == nil)
            #expect(foreign == nil)
        },
        clause(
            "A revision is found by its id together with its file's, and by nothing less; else a guess reads others."
        ) {
            scene in
            let old = try await scene.write(TestContent(), at: "a").record.required()
            let new = try await scene.write(TestContent(), at: "a").record.required()
            let beside = try await scene.write(TestContent(), at: "b").record.required()
            let (container, other) = (scene.owner.container.id, try await scene.account())
            let found = try await scene.store.revisions(of: .id(container, old.id), limit: 10).required()
            for record in found {
                let revision = try record.revision.required().id
                let same = try await scene.store.file(.revision(container, old.id, revision))
                let elsewhere = try await scene.store.file(.revision(other.container.id, old.id, revision))
                let ofAnother = try await scene.store.file(.revision(container, beside.id, revision))
                #expect(same == record)
                #expect(elsewhere == nil)
                #expect(ofAnother == nil)
            }
            #expect(found.map(\.revision?.id) == [new.revision?.id, old.revision?.id])
        },
        clause("A revision shows where its file is now, and goes with it.") { scene in
            let old = try await scene.write(TestContent(), at: "a").record.required()
            try await scene.write(TestContent(), at: "a")
            try await scene.move("a", to: "f/b")
            let selector = FileSelector.revision(
                scene.owner.container.id, old.id, try old.revision.required().id)
            let moved = try await scene.store.file(selector)
            try await scene.delete("f/b")
            let gone = try await scene.store.file(selector)
            #expect(moved?.path.text == "f/b")
            #expect(moved?.revision == old.revision)
            #expect(gone == nil)
        },
        clause("A revision names nothing for a change; else deleting an old one deletes the file.") { scene in
            let old = try await scene.write(TestContent(), at: "a").record.required()
            let selector = FileSelector.revision(
                scene.owner.container.id, old.id, try old.revision.required().id)
            await expect(.notFound) { try await scene.store.commit(.delete(selector, .none)) }
            await expect(.notFound) { try await scene.store.commit(.move(scene.relocation(selector, to: "b"))) }
            await expect(.notFound) { try await scene.store.commit(.copy(scene.relocation(selector, to: "b"))) }
            let tree = try await scene.tree()
            #expect(tree == ["a"])
        },
    ]

    /// Making an older revision the current one again.
    static let restorations: [Clause] = [
        clause("A restored revision is a new one of the old bytes, type and name; what it replaces is kept.") { scene in
            let old = try await scene.write(TestContent(size: 1), at: "a", type: "image/png", name: "n", kind: .image)
            try await scene.write(TestContent(size: 10), at: "a")
            let result = try await scene.restore("a", to: old.record)
            let (record, first) = (try result.record.required(), try old.record.required())
            let (now, usage) = (try await scene.file("a"), try await scene.usage())
            let sizes = try await scene.revisions("a").map(\.revision?.size)
            #expect(result == .updated(record))
            #expect(now == record)
            #expect(record.id == first.id)
            #expect(record.kind == .image)
            #expect(record.revision?.id != first.revision?.id)
            #expect(record.revision?.blob == first.revision?.blob)
            #expect(record.revision?.mediaType == first.revision?.mediaType)
            #expect(record.revision?.sentName == "n")
            #expect(sizes == [1, 10, 1])
            #expect(usage == Usage(bytes: 1, files: 1, revisionBytes: 11))
        },
        clause("A restored file is of the sort that its name makes it where it is, whatever it was before.") { scene in
            let old = try await scene.write(TestContent(), at: "a", type: "text/plain", kind: .text)
            try await scene.write(TestContent(), at: "a", type: "video/mp4", kind: .media)
            let text = try await scene.restore("a", to: old.record).record.required()
            #expect(text.kind == .text)
            try await scene.write(TestContent(), at: "a", type: "video/mp4", kind: .media)
            try await scene.move("a", to: "b.png", kind: .image)
            let image = try await scene.restore("b.png", to: old.record).record.required()
            #expect(image.kind == .image)
        },
        clause("Restoring the current revision, or one with just its content, changes nothing.") { scene in
            let content = TestContent()
            let first = try await scene.write(content, at: "a").record
            try await scene.write(TestContent(), at: "a")
            let link = Link.uid(.random())
            let third = try await scene.write(content, at: "a", link: link).record.required()
            let current = try await scene.restore("a", to: third)
            let same = try await scene.restore("a", to: first)
            let published = try await scene.store.file(.link(link))
            #expect(current == .updated(third))
            #expect(same == .updated(third))
            #expect(published == third)
        },
        clause("A restored revision is not published, and ends the link of the one that it replaces.") { scene in
            let (one, two) = (Link.uid(.random()), Link.uid(.random()))
            let old = try await scene.write(TestContent(), at: "a", link: one).record
            try await scene.write(TestContent(), at: "a", link: two)
            try await scene.restore("a", to: old)
            let (first, second) = (try await scene.store.file(.link(one)), try await scene.store.file(.link(two)))
            #expect(first == nil)
            #expect(second == nil)
        },
        clause("A restored revision holds its bytes also where there is no place for the old one any more.") { scene in
            let old = try await scene.write(TestContent(size: 1), at: "a", keep: 1).record
            try await scene.write(TestContent(size: 10), at: "a", keep: 1)
            try await scene.restore("a", to: old, keep: 0)
            let (doomed, usage) = (try await scene.doom(), try await scene.usage())
            let revisions = try await scene.revisions("a")
            #expect(doomed.count == 1)
            #expect(usage == Usage(bytes: 1, files: 1))
            #expect(revisions.map(\.revision?.blob) == [old?.revision?.blob])
        },
        clause("What is not there, a folder, and a revision of another file are not restored.") { scene in
            let other = try await scene.account()
            let (mine, beside) = (
                try await scene.write(TestContent(), at: "a").record,
                try await scene.write(TestContent(), at: "b").record
            )
            let theirs = try await scene.write(TestContent(), at: "a", in: other).record
            let folder = try await scene.makeFolder("f").record
            await expect(.notFound) { try await scene.restore("a", to: beside) }
            await expect(.notFound) { try await scene.restore("a", to: theirs) }
            await expect(.notFound) { try await scene.restoring(FileID(), RevisionID()) }
            await expect(.notFound) { try await scene.restoring(try folder.required().id, RevisionID()) }
            await expect(.notFound) {
                try await scene.restoring(try theirs.required().id, try theirs?.revision.required().id ?? RevisionID())
            }
            let now = try await scene.file("a")
            #expect(now == mine)
        },
        clause("A condition is decided by the current revision, not by the one that is restored.") { scene in
            let old = try await scene.write(TestContent(), at: "a").record.required()
            let new = try await scene.write(TestContent(), at: "a").record.required()
            let (first, second) = (try old.revision.required().id, try new.revision.required().id)
            await expect(.preconditionFailed) {
                try await scene.restore("a", to: old, if: Precondition(ifMatch: .revisions([first])))
            }
            await expect(.preconditionFailed) {
                try await scene.restore("a", to: new, if: Precondition(ifNoneMatch: .any))
            }
            let result = try await scene.restore("a", to: old, if: Precondition(ifMatch: .revisions([second])))
            #expect(result.record?.revision?.blob == old.revision?.blob)
        },
        clause("Damaged bytes are not restored, until the same content heals them.") { scene in
            let content = TestContent()
            let blob = try await scene.claim(content)
            let old = try await scene.write(content, at: "a").record
            let new = try await scene.write(TestContent(), at: "a").record
            try await scene.store.settle(.corrupt(blob.key))
            await expect(.corrupt) { try await scene.restore("a", to: old) }
            let after = try await scene.file("a")
            try await scene.write(content, at: "elsewhere")
            let result = try await scene.restore("a", to: old)
            #expect(after == new)
            #expect(result.record?.revision?.isIntact == true)
            #expect(result.record?.revision?.blob.digest == content.digest)
        },
        clause("A limit holds for what is restored; older revisions give way, the restored one among them.") { scene in
            let old = try await scene.write(TestContent(size: 60), at: "a").record
            try await scene.tick()
            try await scene.write(TestContent(size: 10), at: "a")
            try await scene.tick()
            try await scene.write(TestContent(size: 30), at: "b")
            _ = try await scene.limit(ContainerLimits(bytes: 80))
            await expect(.quotaExceeded) { try await scene.restore("a", to: old) }
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let result = try await scene.restore("a", to: old)
            let (usage, doomed) = (try await scene.usage(), try await scene.doom())
            #expect(result.record?.revision?.size == 60)
            #expect((usage.bytes, usage.revisionBytes) == (90, 10))
            #expect(doomed.isEmpty)
        },
        clause("Of 20 simultaneous restorations with one If-Match exactly one wins.") { scene in
            let old = try await scene.write(TestContent(size: 1), at: "a").record
            let new = try await scene.write(TestContent(size: 10), at: "a").record?.revision.required()
            let condition = Precondition(ifMatch: .revisions([try new.required().id]))
            let results = try await simultaneously(20) { _ in
                try await outcome { try await scene.restore("a", to: old, if: condition) }
            }
            let usage = try await scene.usage()
            #expect(results.count { $0.value != nil } == 1)
            #expect(results.count { $0.code == .preconditionFailed } == 19)
            #expect(usage == Usage(bytes: 1, files: 1, revisionBytes: 11))
        },
        clause("Restorations, puts and prunings of the same few contents at once lose no bytes.") { scene in
            let contents = (0..<3).map { _ in TestContent() }
            for content in contents { try await scene.write(content, at: "a") }
            _ = try await simultaneously(20) { index in
                try await outcome {
                    if index.isMultiple(of: 2) {
                        let revisions = try await scene.revisions("a")
                        return try await scene.restore("a", to: revisions[index % revisions.count], keep: 2)
                    }
                    return try await scene.write(contents[index % 3], at: "a", keep: 2)
                }
            }
            try await scene.doom()
            let (revisions, usage) = (try await scene.revisions("a"), try await scene.usage())
            #expect(revisions.allSatisfy { $0.revision?.isIntact == true })
            #expect(usage == Usage(bytes: 10, files: 1, revisionBytes: Int64(revisions.count - 1) * 10))
        },
    ]
}

extension MetadataScene {
    fileprivate func revisions(_ path: String, limit: Int = 1_000) async throws -> [FileRecord] {
        try await store.revisions(of: selector(path), limit: limit).required("revisions")
    }

    /// Makes the revision of a record the current one of the file at a path.
    @discardableResult
    func restore(
        _ path: String, to record: FileRecord?, if precondition: Precondition = .none, keep: Int = 5
    ) async throws -> FileChangeResult {
        try await restoring(
            try await file(path).required().id, try record?.revision.required().id ?? RevisionID(), if: precondition,
            keep: keep)
    }

    fileprivate func restoring(
        _ file: FileID, _ revision: RevisionID, if precondition: Precondition = .none, keep: Int = 5
    ) async throws -> FileChangeResult {
        try await store.commit(
            .restore(
                FileChange.Restoration(
                    container: owner.container.id, file: file, revision: revision, precondition: precondition,
                    keepRevisions: keep)))
    }
}
