import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Pointing paths at bytes.
    static let puts: [Clause] = [
        clause("A new path is created with everything that was said of it.") { scene in
            let content = TestContent(size: 42)
            let blob = try await scene.claim(content)
            let result = try await scene.write(
                content, at: "a/b.png", type: "image/png", name: "B ö.png", kind: .image)
            let record = try result.record.required()
            let revision = try record.revision.required()
            #expect(result == .created(record))
            #expect(record.path.text == "a/b.png")
            #expect(record.container == scene.owner.container.id)
            #expect(record.kind == .image)
            #expect(!record.isFolder)
            #expect(record.modifiedAt == record.createdAt)
            #expect(revision.blob == blob.key)
            #expect(revision.size == 42)
            #expect(revision.mediaType.description == "image/png")
            #expect(revision.sentName == "B ö.png")
        },
        clause("A file is found by path and by id, as it was answered; else clients see two truths.") { scene in
            let record = try await scene.write(TestContent(), at: "a/b").record.required()
            let byPath = try await scene.file("a/b")
            let byID = try await scene.store.file(.id(scene.owner.container.id, record.id))
            #expect(byPath == record)
            #expect(byID == record)
        },
        clause("An id does not reach into another container; else whoever learns an id reads the file.") { scene in
            let other = try await scene.account()
            let record = try await scene.write(TestContent(), at: "a").record.required()
            let file = try await scene.store.file(.id(other.container.id, record.id))
            #expect(file == nil)
        },
        clause("The same path in two containers is two files; else tenants overwrite each other.") { scene in
            let other = try await scene.account()
            let mine = try await scene.write(TestContent(), at: "a").record.required()
            let theirs = try await scene.write(TestContent(), at: "a", in: other)
            let present = try await scene.file("a")
            #expect(theirs.record.map { .created($0) } == theirs)
            #expect(present == mine)
        },
        clause("Nothing is found where nothing was written, in a container or without one.") { scene in
            let record = try await scene.write(TestContent(), at: "a").record.required()
            let file = try await scene.file("b")
            let unknownID = try await scene.store.file(.id(scene.owner.container.id, FileID()))
            let unknownContainer = try await scene.store.file(.path(ContainerID(), record.path))
            #expect(file == nil)
            #expect(unknownID == nil)
            #expect(unknownContainer == nil)
        },
        clause("An overwrite keeps id and creation, and has a new revision; else entity tags lie.") { scene in
            let first = try await scene.write(TestContent(), at: "a").record.required()
            try await scene.tick()
            let result = try await scene.write(TestContent(size: 7), at: "a", kind: .media)
            let second = try result.record.required()
            #expect(result == .updated(second))
            #expect(second.id == first.id)
            #expect(second.createdAt == first.createdAt)
            #expect(second.modifiedAt > first.modifiedAt)
            #expect(second.kind == .media)
            #expect(second.revision?.id != first.revision?.id)
            #expect(second.revision?.size == 7)
        },
        clause("The same bytes, type and sent name again change nothing; else a sync client makes versions of nothing.")
        {
            scene in
            let content = TestContent()
            let first = try await scene.write(content, at: "a", name: "n").record.required()
            try await scene.tick()
            let again = try await scene.write(content, at: "a", name: "n")
            let present = try await scene.file("a")
            #expect(again == .updated(first))
            #expect(present == first)
        },
        clause("The same bytes with another type are a new revision; else a wrong type cannot be put right.") { scene in
            let content = TestContent()
            let first = try await scene.write(content, at: "a", type: "text/plain").record
            let second = try await scene.write(content, at: "a", type: "text/html").record
            #expect(second?.revision?.id != first?.revision?.id)
            #expect(second?.revision?.mediaType.description == "text/html")
        },
        clause("The same bytes with another sent name are a new revision, composed and decomposed letters told apart.")
        {
            scene in
            let content = TestContent()
            var revisions: Set<RevisionID> = []
            for name in [nil, "", "\u{E9}", "e\u{301}"] {
                let record = try await scene.write(content, at: "a", name: name).record.required()
                revisions.insert(try record.revision.required().id)
                #expect(record.revision?.sentName.map { Array($0.utf8) } == name.map { Array($0.utf8) })
            }
            #expect(revisions.count == 4)
        },
        clause("Paths are told apart by their bytes: case, composition and wildcards; else twins overwrite each other.")
        {
            scene in
            let paths = [
                "a", "A", "\u{E9}", "e\u{301}", "%", "_", "\\", "a%", "a_", "a ", "\u{212A}", "k", "K", "+", "%2F",
            ]
            for path in paths {
                let result = try await scene.write(TestContent(), at: path)
                #expect(result.record.map { .created($0) } == result)
            }
            for path in paths {
                let file = try await scene.file(path)
                #expect(file?.path.bytes == Array(path.utf8))
            }
        },
        clause("An empty file and the longest path are stored like others.") { scene in
            let segments = Array(repeating: String(repeating: "ä", count: 127), count: 4)
            let path = segments.joined(separator: "/") + "/abcd"
            try #require(path.utf8.count == FilePath.maximumBytes)
            let record = try await scene.write(TestContent(size: 0), at: path).record.required()
            let file = try await scene.file(path)
            #expect(file == record)
            #expect(record.revision?.size == 0)
        },
        clause("Folders above a file are made with it; else a file is in no listing of a folder.") { scene in
            try await scene.write(TestContent(), at: "a/b/c")
            let tree = try await scene.tree()
            #expect(tree == ["a/", "a/b/", "a/b/c"])
        },
        clause("A file above the path refuses the put and leaves no folder behind.") { scene in
            try await scene.write(TestContent(), at: "a/b")
            await expect(.pathConflict) { try await scene.write(TestContent(), at: "a/b/c/d") }
            let tree = try await scene.tree()
            #expect(tree == ["a/", "a/b"])
        },
        clause("A folder with entries is not replaced by a file; else a whole tree is hidden.") { scene in
            try await scene.write(TestContent(), at: "a/b")
            await expect(.pathConflict) { try await scene.write(TestContent(), at: "a") }
            let tree = try await scene.tree()
            #expect(tree == ["a/", "a/b"])
        },
        clause("An empty folder never blocks a file: it is replaced, and the file is a new one.") { scene in
            let folder = try await scene.makeFolder("a").record.required()
            let result = try await scene.write(TestContent(), at: "a", if: Precondition(ifNoneMatch: .any))
            let record = try result.record.required()
            let old = try await scene.store.file(.id(scene.owner.container.id, folder.id))
            #expect(result == .created(record))
            #expect(old == nil || old == record)
            #expect(!record.isFolder)
        },
        clause("A container that does not exist takes no file.") { scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            let put = FileChange.Put(
                upload: upload, blob: blob.id, container: ContainerID(), path: try FilePath("a"),
                mediaType: .octetStream, sentName: nil, kind: .other, precondition: .none, keepRevisions: 0)
            await expect(.notFound) { try await scene.store.commit(.put(put)) }
        },
        clause("A blob that was doomed is lost and nothing is changed; else a revision refers to deleted bytes.") {
            scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload, lease: -scene.second)
            try await scene.doom()
            let result = try await scene.store.commit(scene.put(blob.id, at: "new/a", upload: upload))
            let tree = try await scene.tree()
            let usage = try await scene.usage()
            #expect(result == .blobLost)
            #expect(tree.isEmpty)
            #expect(usage == Usage())
        },
        clause("A blob that was found corrupt is lost; else a revision refers to wrong bytes.") { scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            try await scene.store.settle(.corrupt(blob.key))
            let result = try await scene.store.commit(scene.put(blob.id, at: "a", upload: upload))
            let file = try await scene.file("a")
            #expect(result == .blobLost)
            #expect(file == nil)
        },
        clause("A lost blob leaves the file that is there as it is.") { scene in
            let upload = UploadID()
            let before = try await scene.write(TestContent(), at: "a").record
            let blob = try await scene.claim(TestContent(), upload: upload, lease: -scene.second)
            try await scene.doom()
            _ = try await scene.store.commit(scene.put(blob.id, at: "a", upload: upload))
            let after = try await scene.file("a")
            #expect(after == before)
        },
    ]
}
