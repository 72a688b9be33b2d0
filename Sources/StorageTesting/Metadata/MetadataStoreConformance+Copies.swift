import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Giving a file's bytes another path as well.
    static let copies: [Clause] = [
        clause("A copy is a new file with the bytes, type and sent name of its source, which stays as it is.") {
            scene in
            let source = try await scene.write(
                TestContent(), at: "a", type: "image/png", name: "n", kind: .image
            ).record.required()
            let result = try await scene.copy("a", to: "new/b")
            let copy = try result.record.required()
            let (sourceAfter, copyAfter) = (try await scene.file("a"), try await scene.file("new/b"))
            #expect(result == .created(copy))
            #expect(copy.id != source.id)
            #expect(copy.kind == .image)
            #expect(copy.revision?.id != source.revision?.id)
            #expect(copy.revision?.blob == source.revision?.blob)
            #expect(copy.revision?.size == source.revision?.size)
            #expect(copy.revision?.mediaType == source.revision?.mediaType)
            #expect(copy.revision?.sentName == "n")
            #expect(sourceAfter == source)
            #expect(copyAfter == copy)
        },
        clause("A copy has the sort that its new name gives it.") { scene in
            try await scene.write(TestContent(), at: "a", kind: .text)
            let record = try await scene.copy("a", to: "b.png", kind: .image).record
            #expect(record?.kind == .image)
        },
        clause("A copy counts, and holds the bytes when its source goes.") { scene in
            try await scene.write(TestContent(), at: "a")
            try await scene.copy("a", to: "b")
            let usage = try await scene.usage()
            try await scene.delete("a")
            let doomed = try await scene.doom()
            #expect(usage == Usage(bytes: 20, files: 2))
            #expect(doomed.isEmpty)
        },
        clause("What is not there, and a folder, is not copied.") { scene in
            try await scene.makeFolder("f")
            await expect(.notFound) { try await scene.copy("a", to: "b") }
            await expect(.unprocessable) { try await scene.copy("f", to: "b") }
            let tree = try await scene.tree()
            #expect(tree == ["f/"])
        },
        clause("A copy onto a file is refused unless it may be replaced.") { scene in
            try await scene.write(TestContent(), at: "a")
            let target = try await scene.write(TestContent(), at: "b").record
            await expect(.exists) { try await scene.copy("a", to: "b") }
            let after = try await scene.file("b")
            #expect(after == target)
        },
        clause("A copy over a file is a new revision of that file; its old bytes are kept as a revision.") { scene in
            let source = try await scene.write(TestContent(size: 1), at: "a").record
            let target = try await scene.write(TestContent(size: 10), at: "b").record.required()
            let result = try await scene.copy("a", to: "b", overwrite: true)
            let record = try result.record.required()
            let usage = try await scene.usage()
            #expect(result == .updated(record))
            #expect(record.id == target.id)
            #expect(record.createdAt == target.createdAt)
            #expect(record.revision?.id != target.revision?.id)
            #expect(record.revision?.blob == source?.revision?.blob)
            #expect(usage == Usage(bytes: 2, files: 2, revisionBytes: 10))
        },
        clause("A copy over a published file ends its link.") { scene in
            let link = Link.uid(.random())
            try await scene.write(TestContent(), at: "a")
            try await scene.write(TestContent(), at: "b", link: link)
            try await scene.copy("a", to: "b", overwrite: true)
            let file = try await scene.store.file(.link(link))
            #expect(file == nil)
        },
        clause("A copy onto itself changes nothing.") { scene in
            let record = try await scene.write(TestContent(), at: "a").record.required()
            let result = try await scene.copy("a", to: "a", overwrite: true)
            let usage = try await scene.usage()
            #expect(result == .updated(record))
            #expect(usage == Usage(bytes: 10, files: 1))
        },
        clause("A copy replaces an empty folder, but not one with entries, nor a file above.") { scene in
            try await scene.write(at: ["a", "full/b"])
            try await scene.makeFolder("empty")
            await expect(.pathConflict) { try await scene.copy("a", to: "full", overwrite: true) }
            await expect(.pathConflict) { try await scene.copy("a", to: "full/b/c", overwrite: true) }
            let result = try await scene.copy("a", to: "empty")
            let tree = try await scene.tree()
            #expect(result.record.map { .created($0) } == result)
            #expect(tree == ["a", "empty", "full/", "full/b"])
        },
        clause("A copy whose condition on the source fails copies nothing.") { scene in
            try await scene.write(TestContent(), at: "a")
            await expect(.preconditionFailed) {
                try await scene.copy("a", to: "new/b", if: Precondition(ifMatch: .revisions([RevisionID()])))
            }
            let tree = try await scene.tree()
            #expect(tree == ["a"])
        },
        clause(
            "What is refused without its condition is refused for that, not for the condition (RFC 9110 section 13.2.1)."
        ) {
            scene in
            try await scene.write(at: ["full/b"])
            let condition = Precondition(ifMatch: .any)
            await expect(.unprocessable) { try await scene.copy("full", to: "c", if: condition) }
            await expect(.pathConflict) { try await scene.write(TestContent(), at: "full", if: condition) }
            await expect(.pathConflict) { try await scene.write(TestContent(), at: "full/b/c", if: condition) }
        },
        clause("Corrupt bytes are not copied; else their loss spreads.") { scene in
            let content = TestContent()
            let blob = try await scene.claim(content)
            try await scene.write(content, at: "a")
            try await scene.store.settle(.corrupt(blob.key))
            await expect(.corrupt) { try await scene.copy("a", to: "new/b") }
            let tree = try await scene.tree()
            #expect(tree == ["a"])
        },
        clause("Corrupt bytes are refused as such also where there is no room for them.") { scene in
            let content = TestContent()
            let blob = try await scene.claim(content)
            try await scene.write(content, at: "a")
            try await scene.store.settle(.corrupt(blob.key))
            _ = try await scene.limit(ContainerLimits(bytes: 1))
            await expect(.corrupt) { try await scene.copy("a", to: "b") }
        },
    ]
}
