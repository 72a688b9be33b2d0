import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Whichever way a file is asked for, the answer is the same: a store may keep what it tells in more than one place.
    static let agreement: [Clause] = [
        clause("A change answers with the record that is found afterwards, whichever way it is asked for.") { scene in
            let (one, two) = (TestContent(size: 1), TestContent(size: 22))
            let link = Link.hash(one.digest)
            try await scene.expectAgreement(
                on: scene.write(one, at: "f/a.txt", name: "\u{e9}.txt", kind: .text, link: link), link)
            let first = try await scene.file("f/a.txt").required()
            try await scene.tick()
            try await scene.expectAgreement(on: scene.write(two, at: "f/a.txt", type: "image/png", kind: .image))
            try await scene.expectAgreement(on: scene.write(two, at: "f/a.txt", type: "image/gif", kind: .image))
            try await scene.tick()
            try await scene.expectAgreement(on: scene.move("f/a.txt", to: "g/b.png", kind: .image))
            try await scene.expectAgreement(on: scene.copy("g/b.png", to: "f/c.png"))
            try await scene.expectAgreement(on: scene.restore("g/b.png", to: first))
            try await scene.expectAgreement(on: scene.copy("g/b.png", to: "f/c.png", overwrite: true))
            let published = Link.uid(.random())
            try await scene.expectAgreement(
                on: scene.write(one, at: "f/c.png", name: "\u{e9}.txt", link: published), published)
        },
        clause("What is found out of a file's bytes is told whichever way the file is asked for.") { scene in
            let content = TestContent()
            let corrupt = try await scene.claim(content)
            let link = Link.hash(content.digest)
            try await scene.write(content, at: "a", link: link)
            try await scene.write(content, at: "f/b")
            try await scene.store.settle(.corrupt(corrupt.key))
            for path in ["a", "f/b"] {
                let record = try await scene.file(path).required()
                #expect(record.revision?.isIntact == false)
                try await scene.expectAgreement(on: record, path == "a" ? link : nil)
            }
            // Proved whole by an upload to another place, then moved, then something else.
            try await scene.write(content, at: "c")
            try await scene.move("f/b", to: "f/d")
            for path in ["a", "f/d"] {
                let record = try await scene.file(path).required()
                #expect(record.revision?.isIntact == true)
                #expect(record.revision?.blob != corrupt.key)
                try await scene.expectAgreement(on: record, path == "a" ? link : nil)
            }
            try await scene.expectAgreement(on: scene.copy("a", to: "e"))
            try await scene.expectAgreement(on: scene.write(content, at: "f/d"))
            try await scene.expectAgreement(on: scene.write(TestContent(), at: "f/d"))
            let container = try await scene.inspection().required()
            #expect(container.isExact)
            #expect(container.miscopiedFiles == 0)
        },
    ]
}

extension MetadataScene {
    fileprivate func expectAgreement(on result: FileChangeResult, _ link: Link? = nil) async throws {
        try await expectAgreement(on: result.record.required(), link)
    }

    /// Asks for a file in every way.
    fileprivate func expectAgreement(on record: FileRecord, _ link: Link? = nil) async throws {
        let revision = try record.revision.required()
        var selectors: [FileSelector] = [.path(record.container, record.path), .id(record.container, record.id)]
        if let link { selectors.append(.link(link)) }
        for selector in selectors {
            let found = try await store.file(selector)
            #expect(found == record, "\(selector)")
        }
        let entries = try await store.list(ListQuery(container: record.container)).entries
        #expect(entries.first { $0.id == record.id } == record)
        let found = try await store.search(SearchQuery(container: record.container, text: Array(record.path.name)))
        #expect(found.entries.first { $0.id == record.id } == record)
        let newest = try await store.revisions(of: .id(record.container, record.id), limit: 1).required()
        let past = try await store.file(.revision(record.container, record.id, revision.id))
        for version in [newest.first, past] {
            #expect(version?.id == record.id)
            #expect(version?.path == record.path)
            #expect(version?.revision == revision)
        }
    }
}
