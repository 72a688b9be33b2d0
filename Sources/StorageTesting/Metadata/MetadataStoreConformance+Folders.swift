import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Folders by themselves.
    static let folders: [Clause] = [
        clause("A new folder is created with those above it, and is empty.") { scene in
            let result = try await scene.makeFolder("a/b/c")
            let record = try result.record.required()
            let tree = try await scene.tree()
            #expect(result == .created(record))
            #expect(record.isFolder)
            #expect(record.kind == .other)
            #expect(tree == ["a/", "a/b/", "a/b/c/"])
        },
        clause("Making a folder that exists is fine and changes nothing.") { scene in
            let first = try await scene.makeFolder("a").record.required()
            try await scene.tick()
            let result = try await scene.makeFolder("a")
            #expect(result == .updated(first))
        },
        clause("A file is not made a folder, nor has it folders below.") { scene in
            let file = try await scene.write(TestContent(), at: "a").record
            await expect(.pathConflict) { try await scene.makeFolder("a") }
            await expect(.pathConflict) { try await scene.makeFolder("a/b/c") }
            let tree = try await scene.tree()
            let present = try await scene.file("a")
            #expect(tree == ["a"])
            #expect(present == file)
        },
        clause("20 simultaneous makings of a folder create one.") { scene in
            let results = try await simultaneously(20) { _ in try await scene.makeFolder("a/b") }
            let created = results.filter { if case .created = $0 { true } else { false } }
            #expect(created.count == 1)
            #expect(Set(results.compactMap(\.record?.id)).count == 1)
        },
        clause("A container that does not exist takes no folder.") { scene in
            let path = try FilePath("a")
            await expect(.notFound) { try await scene.store.commit(.makeFolder(ContainerID(), path)) }
        },
        clause("A folder outlives its last file.") { scene in
            try await scene.write(TestContent(), at: "a/b")
            try await scene.delete("a/b")
            let tree = try await scene.tree()
            #expect(tree == ["a/"])
        },
    ]

    /// Deleting one entry.
    static let deletions: [Clause] = [
        clause("What is not there is not deleted: by path, by id, from another container.") { scene in
            let other = try await scene.account()
            let record = try await scene.write(TestContent(), at: "a").record.required()
            await expect(.notFound) { try await scene.delete("b") }
            await expect(.notFound) { try await scene.delete("a", in: other) }
            for selector in [
                FileSelector.id(scene.owner.container.id, FileID()), .id(other.container.id, record.id),
            ] {
                await expect(.notFound) { try await scene.store.commit(.delete(selector, .none)) }
            }
            let present = try await scene.file("a")
            #expect(present == record)
        },
        clause("A deleted file is gone by path and by id, and its path is free for another file.") { scene in
            let record = try await scene.write(TestContent(), at: "a").record.required()
            let selector = FileSelector.id(scene.owner.container.id, record.id)
            let result = try await scene.store.commit(.delete(selector, .none))
            let byPath = try await scene.file("a")
            let byID = try await scene.store.file(selector)
            let next = try await scene.write(TestContent(), at: "a")
            #expect(result == .deleted(remaining: 0))
            #expect(byPath == nil)
            #expect(byID == nil)
            #expect(next.record.map { .created($0) } == next)
            #expect(next.record?.id != record.id)
        },
        clause("A file goes with all its revisions: no bytes, no usage are left.") { scene in
            for _ in 0..<3 { try await scene.write(TestContent(), at: "a") }
            try await scene.delete("a")
            let usage = try await scene.usage()
            let doomed = try await scene.doom()
            #expect(usage == Usage())
            #expect(doomed.count == 3)
        },
        clause("A delete whose condition fails deletes nothing.") { scene in
            let old = try await scene.write(TestContent(), at: "a").record?.revision.required()
            let current = try await scene.write(TestContent(), at: "a").record.required()
            let condition = Precondition(ifMatch: .revisions([try old.required().id]))
            await expect(.preconditionFailed) { try await scene.delete("a", if: condition) }
            let present = try await scene.file("a")
            #expect(present == current)
            let right = Precondition(ifMatch: .revisions([try current.revision.required().id]))
            let result = try await scene.delete("a", if: right)
            #expect(result == .deleted(remaining: 0))
        },
        clause("A folder is deleted when it is empty, and only then.") { scene in
            try await scene.write(TestContent(), at: "a/b")
            await expect(.folderNotEmpty) { try await scene.delete("a") }
            try await scene.delete("a/b")
            try await scene.delete("a")
            let tree = try await scene.tree()
            #expect(tree.isEmpty)
        },
        clause("Names that only begin like the folder's do not keep it from being deleted.") { scene in
            try await scene.makeFolder("a")
            try await scene.write(at: ["a!", "a0", "aa/b"])
            try await scene.delete("a")
            let folder = try await scene.file("a")
            #expect(folder == nil)
        },
        clause("A folder has no revision: If-Match on it fails.") { scene in
            try await scene.makeFolder("a")
            await expect(.preconditionFailed) { try await scene.delete("a", if: Precondition(ifMatch: .any)) }
            let folder = try await scene.file("a")
            #expect(folder != nil)
        },
    ]

    /// Deleting a folder with everything below.
    static let trees: [Clause] = [
        clause("A tree goes in batches, and at no time has an entry no folder above it.") { scene in
            let paths = (0..<24).map { "top/\($0 % 3)/\($0 % 4)/\($0)" }
            try await scene.write(at: paths)
            var rounds = 0
            while case .deleted(let remaining) = try await scene.deleteTree("top", limit: 7), remaining > 0 {
                rounds += 1
                try #require(rounds < 10)
                let left = try await scene.paths()
                for path in left {
                    for folder in FilePath(stored: path).ancestors {
                        let record = try await scene.store.file(.path(scene.owner.container.id, folder))
                        #expect(record?.isFolder == true)
                    }
                }
            }
            let tree = try await scene.tree()
            let usage = try await scene.usage()
            #expect(rounds >= 5)
            #expect(tree.isEmpty)
            #expect(usage == Usage())
        },
        clause("A tree within the limit goes at once, its bytes can be collected.") { scene in
            try await scene.write(at: ["a/b", "a/c/d"])
            try await scene.makeFolder("a/e")
            let result = try await scene.deleteTree("a", limit: 100)
            let doomed = try await scene.doom()
            let tree = try await scene.tree()
            #expect(result == .deleted(remaining: 0))
            #expect(doomed.count == 2)
            #expect(tree.isEmpty)
        },
        clause("A tree of just as many entries as the limit goes at once.") { scene in
            try await scene.write(at: ["a/b", "a/c"])
            let result = try await scene.deleteTree("a", limit: 2)
            let tree = try await scene.tree()
            #expect(result == .deleted(remaining: 0))
            #expect(tree.isEmpty)
        },
        clause("Names that only begin like the folder's survive; else deleting /a takes /ab with it.") { scene in
            try await scene.write(at: ["a/b", "a!", "a0", "ab/c", "A/b", "%/b", "_/b"])
            while case .deleted(let remaining) = try await scene.deleteTree("a", limit: 1), remaining > 0 {}
            try await _ = scene.deleteTree("_", limit: 100)
            let paths = try await scene.paths().map { String(decoding: $0, as: UTF8.self) }
            #expect(paths == ["%/b", "A/b", "a!", "a0", "ab/c"])
        },
        clause(
            "A tree that is not there is not found; a file is no tree: one that took the folder's place is not lost."
        ) {
            scene in
            try await scene.write(TestContent(), at: "a")
            await expect(.notFound) { try await scene.deleteTree("b", limit: 100) }
            await expect(.pathConflict) { try await scene.deleteTree("a", limit: 100) }
            let file = try await scene.file("a")
            #expect(file != nil)
        },
        clause("The same path in another container survives.") { scene in
            let other = try await scene.account()
            try await scene.write(at: ["a/b", "a/c"], in: other)
            try await scene.write(at: ["a/b"])
            _ = try await scene.deleteTree("a", limit: 100)
            let paths = try await scene.paths(in: other)
            #expect(paths.count == 2)
        },
    ]
}
