import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Giving a file another path.
    static let moves: [Clause] = [
        clause("A moved file keeps id, revision and creation, and is at the new path alone.") { scene in
            let before = try await scene.write(TestContent(), at: "a").record.required()
            try await scene.tick()
            let result = try await scene.move("a", to: "new/folder/b.png", kind: .image)
            let after = try result.record.required()
            let (source, target) = (try await scene.file("a"), try await scene.file("new/folder/b.png"))
            #expect(result == .updated(after))
            #expect(after.id == before.id)
            #expect(after.entry == before.entry)
            #expect(after.createdAt == before.createdAt)
            #expect(after.modifiedAt > before.modifiedAt)
            #expect(after.kind == .image)
            #expect(source == nil)
            #expect(target == after)
        },
        clause("A move by id without a sort keeps the file's sort.") { scene in
            let record = try await scene.write(TestContent(), at: "a", kind: .media).record.required()
            let relocation = try scene.relocation(.id(scene.owner.container.id, record.id), to: "b")
            let result = try await scene.store.commit(.move(relocation))
            #expect(result.record?.path.text == "b")
            #expect(result.record?.kind == .media)
        },
        clause("What is not there is not moved, nor out of another container.") { scene in
            let other = try await scene.account()
            let theirs = try await scene.write(TestContent(), at: "a", in: other).record.required()
            await expect(.notFound) { try await scene.move("a", to: "b") }
            let foreign = try scene.relocation(.id(scene.owner.container.id, theirs.id), to: "b")
            await expect(.notFound) { try await scene.store.commit(.move(foreign)) }
            let tree = try await scene.tree()
            #expect(tree.isEmpty)
        },
        clause("A move onto itself changes nothing.") { scene in
            let file = try await scene.write(TestContent(), at: "a").record.required()
            let folder = try await scene.makeFolder("f").record.required()
            try await scene.tick()
            let ofFile = try await scene.move("a", to: "a")
            let ofFolder = try await scene.move("f", to: "f")
            #expect(ofFile == .updated(file))
            #expect(ofFolder == .updated(folder))
        },
        clause("A move onto a file is refused unless it may be replaced, and then changes nothing.") { scene in
            let source = try await scene.write(TestContent(), at: "a").record
            let target = try await scene.write(TestContent(), at: "b").record
            await expect(.exists) { try await scene.move("a", to: "b") }
            let (sourceAfter, targetAfter) = (try await scene.file("a"), try await scene.file("b"))
            #expect(sourceAfter == source)
            #expect(targetAfter == target)
        },
        clause("A move that replaces a file deletes that with its revisions and links.") { scene in
            let link = Link.uid(.random())
            let source = try await scene.write(TestContent(size: 1), at: "a").record.required()
            try await scene.write(TestContent(size: 10), at: "b")
            let replaced = try await scene.write(TestContent(size: 100), at: "b", link: link).record.required()
            let result = try await scene.move("a", to: "b", overwrite: true)
            let old = try await scene.store.file(.id(scene.owner.container.id, replaced.id))
            let linked = try await scene.store.file(.link(link))
            let usage = try await scene.usage()
            let doomed = try await scene.doom()
            #expect(result.record?.id == source.id)
            #expect(old == nil)
            #expect(linked == nil)
            #expect(usage == Usage(bytes: 1, files: 1))
            #expect(doomed.count == 2)
        },
        clause("A file above the target refuses a move and leaves no folder behind, also the file itself.") { scene in
            try await scene.write(at: ["a", "f"])
            await expect(.pathConflict) { try await scene.move("a", to: "f/b/c") }
            await expect(.pathConflict) { try await scene.move("a", to: "a/b") }
            let tree = try await scene.tree()
            #expect(tree == ["a", "f"])
        },
        clause("A file replaces an empty folder, but not one with entries.") { scene in
            try await scene.write(at: ["a", "full/b"])
            try await scene.makeFolder("empty")
            await expect(.pathConflict) { try await scene.move("a", to: "full", overwrite: true) }
            try await scene.move("a", to: "empty")
            let tree = try await scene.tree()
            #expect(tree == ["empty", "full/", "full/b"])
        },
        clause("A move whose condition on the source fails moves nothing.") { scene in
            let source = try await scene.write(TestContent(), at: "a").record.required()
            await expect(.preconditionFailed) {
                try await scene.move("a", to: "new/b", if: Precondition(ifMatch: .revisions([RevisionID()])))
            }
            let tree = try await scene.tree()
            #expect(tree == ["a"])
            let right = Precondition(ifMatch: .revisions([try source.revision.required().id]))
            try await scene.move("a", to: "b", if: right)
            let moved = try await scene.file("b")
            #expect(moved != nil)
        },
        clause("Of 10 simultaneous moves of a file exactly one finds it.") { scene in
            try await scene.write(TestContent(), at: "a")
            let results = try await simultaneously(10) { index in
                try await outcome { try await scene.move("a", to: "to/\(index)") }
            }
            let paths = try await scene.paths()
            #expect(results.count { $0.value != nil } == 1)
            #expect(results.count { $0.code == .notFound } == 9)
            #expect(paths.count == 1)
        },
    ]

    /// Giving a folder another path.
    static let folderMoves: [Clause] = [
        clause("A folder has no sort, whatever a move gives it.") { scene in
            try await scene.makeFolder("a")
            let moved = try await scene.move("a", to: "b", kind: .image).record
            #expect(moved?.kind == .other)
        },
        clause("A folder moves with all below; ids and revisions stay, usage does not change.") { scene in
            try await scene.write(at: ["a/b", "a/c/d", "a/c/e"])
            let before = try await scene.file("a/c/d")
            let usageBefore = try await scene.usage()
            let result = try await scene.move("a", to: "x/y")
            let after = try await scene.file("x/y/c/d")
            let tree = try await scene.tree()
            let usage = try await scene.usage()
            #expect(result.record?.path.text == "x/y")
            #expect(after?.id == before?.id)
            #expect(after?.entry == before?.entry)
            #expect(tree == ["x/", "x/y/", "x/y/b", "x/y/c/", "x/y/c/d", "x/y/c/e"])
            #expect(usage == usageBefore)
        },
        clause("Names that only begin like the folder's stay; else moving /a takes /ab with it.") { scene in
            try await scene.write(at: ["a/b", "a!", "a0", "ab/c"])
            try await scene.move("a", to: "ab/a")
            let paths = try await scene.paths().map { String(decoding: $0, as: UTF8.self) }
            #expect(paths == ["a!", "a0", "ab/a/b", "ab/c"])
        },
        clause("A folder does not move into itself; else a tree hangs on nothing.") { scene in
            try await scene.write(at: ["a/b/c"])
            await expect(.pathConflict) { try await scene.move("a", to: "a/b/d") }
            await expect(.pathConflict) { try await scene.move("a", to: "a/new") }
            let tree = try await scene.tree()
            #expect(tree == ["a/", "a/b/", "a/b/c"])
        },
        clause("A folder replaces an empty folder; one with entries, or its own parent, refuses it.") { scene in
            try await scene.write(at: ["a/b/c", "full/d"])
            try await scene.makeFolder("empty")
            await expect(.exists) { try await scene.move("a", to: "full") }
            await expect(.exists) { try await scene.move("a", to: "full", overwrite: true) }
            await expect(.exists) { try await scene.move("a/b", to: "a") }
            try await scene.move("a", to: "empty")
            let tree = try await scene.tree()
            #expect(tree == ["empty/", "empty/b/", "empty/b/c", "full/", "full/d"])
        },
        clause("A folder does not replace a file.") { scene in
            try await scene.write(at: ["a/b", "c"])
            await expect(.exists) { try await scene.move("a", to: "c") }
            await expect(.pathConflict) { try await scene.move("a", to: "c", overwrite: true) }
            let tree = try await scene.tree()
            #expect(tree == ["a/", "a/b", "c"])
        },
        clause("A folder does not move so deep that a path below gets too long.") { scene in
            let segments = Array(repeating: String(repeating: "s", count: 250), count: 3)
            try await scene.write(at: ["a/\(segments.joined(separator: "/"))"])
            let target = Array(repeating: String(repeating: "t", count: 150), count: 2).joined(separator: "/")
            await expect(.invalidPath) { try await scene.move("a", to: target) }
            let paths = try await scene.paths()
            #expect(paths == [Array("a/\(segments.joined(separator: "/"))".utf8)])
        },
        clause("A folder of 1,000 entries moves at once, and the same paths in another container stay.") { scene in
            let other = try await scene.account()
            try await scene.write(at: ["a/0"], in: other)
            _ = try await simultaneously(50) { worker in
                for index in 0..<20 { try await scene.write(TestContent(), at: "a/\(worker)/\(index)") }
            }
            try await scene.move("a", to: "b")
            let (moved, left) = (try await scene.paths(), try await scene.paths(in: other))
            #expect(moved.count == 1_000)
            #expect(moved.allSatisfy { $0.starts(with: "b/".utf8) })
            #expect(left == [Array("a/0".utf8)])
        },
    ]

    static let largeMoves: [Clause] = [
        clause("A folder with too many entries does not move; else one transaction holds up all others.") { scene in
            _ = try await simultaneously(100) { worker in
                for index in 0..<100 { try await scene.makeFolder("a/\(worker)/\(index)") }
            }
            await expect(.unprocessable) { try await scene.move("a", to: "b") }
            let (source, target) = (try await scene.file("a"), try await scene.file("b"))
            #expect(source != nil)
            #expect(target == nil)
        }
    ]
}
