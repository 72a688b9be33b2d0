import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Public names.
    static let links: [Clause] = [
        clause("A published file is found by its link, by digest and by UID.") { scene in
            let content = TestContent()
            let (byHash, byUID) = (Link.hash(content.digest), Link.uid(.random()))
            let one = try await scene.write(content, at: "a", link: byHash).record
            let other = try await scene.write(content, at: "b", link: byUID).record
            let foundByHash = try await scene.store.file(.link(byHash))
            let foundByUID = try await scene.store.file(.link(byUID))
            #expect(foundByHash == one)
            #expect(foundByUID == other)
        },
        clause("A content that is only in private files is not found by its digest; else guessing bytes shows them.") {
            scene in
            let content = TestContent()
            try await scene.write(content, at: "a")
            let file = try await scene.store.file(.link(.hash(content.digest)))
            #expect(file == nil)
        },
        clause("An unchanged put publishes too; else the second dialect of a file never gets its link.") { scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            let record = try await scene.write(content, at: "a").record
            let again = try await scene.write(content, at: "a", link: link)
            let file = try await scene.store.file(.link(link))
            #expect(again.record == record)
            #expect(file == record)
        },
        clause("Publishing again under the same link is fine.") { scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            for _ in 0..<3 { try await scene.write(content, at: "a", link: link) }
            try await scene.write(content, at: "a", name: "other", link: link)
            let file = try await scene.store.file(.link(link))
            #expect(file?.revision?.sentName == "other")
        },
        clause("A link ends with the overwrite of its path; else a withdrawn file stays public.") { scene in
            let content = TestContent()
            let link = Link.uid(.random())
            try await scene.write(content, at: "a", link: link)
            try await scene.write(TestContent(), at: "a")
            let overwritten = try await scene.store.file(.link(link))
            try await scene.write(content, at: "a")
            let restored = try await scene.store.file(.link(link))
            #expect(overwritten == nil)
            #expect(restored == nil)
        },
        clause("A link ends with its file.") { scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            try await scene.write(content, at: "a/b", link: link)
            try await scene.delete("a/b")
            let deleted = try await scene.store.file(.link(link))
            try await scene.write(content, at: "a/b", link: link)
            _ = try await scene.deleteTree("a", limit: 100)
            let deletedWithFolder = try await scene.store.file(.link(link))
            #expect(deleted == nil)
            #expect(deletedWithFolder == nil)
        },
        clause("A link stays with its revision when the file or a folder above moves.") { scene in
            let link = Link.uid(.random())
            try await scene.write(TestContent(), at: "a/b", link: link)
            try await scene.move("a/b", to: "a/c")
            try await scene.move("a", to: "d")
            let file = try await scene.store.file(.link(link))
            #expect(file?.path.text == "d/c")
        },
        clause("A copy is not published.") { scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            try await scene.write(content, at: "a", link: link)
            try await scene.copy("a", to: "b")
            try await scene.delete("a")
            let file = try await scene.store.file(.link(link))
            #expect(file == nil)
        },
        clause("Publishing anew keeps the place among the publications; else a new name is one that nobody sees.") {
            scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            let other = try await scene.account()
            try await scene.write(content, at: "a", name: "first", link: link)
            try await scene.tick()
            try await scene.write(content, at: "a", in: other, name: "theirs", link: link)
            try await scene.tick()
            try await scene.write(content, at: "a", name: "second", link: link)
            let kept = try await scene.store.file(.link(link))
            #expect(kept?.revision?.sentName == "second")
            try await scene.tick()
            try await scene.write(content, at: "a", name: "third", link: link, keep: 0)
            let last = try await scene.store.file(.link(link))
            #expect(last?.revision?.sentName == "third")
        },
        clause("Of several publications the oldest living one answers, whoever's it is.") { scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            let accounts = [try await scene.account(), scene.owner, try await scene.account()]
            for (index, account) in accounts.enumerated() {
                try await scene.write(content, at: "a", in: account, name: "\(index)", link: link)
                try await scene.tick()
            }
            for (index, account) in accounts.enumerated() {
                let file = try await scene.store.file(.link(link))
                #expect(file?.container == account.container.id)
                #expect(file?.revision?.sentName == "\(index)")
                try await scene.delete("a", in: account)
            }
            let file = try await scene.store.file(.link(link))
            #expect(file == nil)
        },
        clause("Another file of the same container takes a publication over with its age; else it changes hands.") {
            scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            try await scene.write(content, at: "a", link: link)
            try await scene.tick()
            try await scene.write(content, at: "a", in: try await scene.account(), link: link)
            try await scene.tick()
            let other = try await scene.write(content, at: "b", link: link).record
            let file = try await scene.store.file(.link(link))
            #expect(file == other)
        },
        clause("A refused put publishes nothing.") { scene in
            let link = Link.uid(.random())
            await expect(.preconditionFailed) {
                try await scene.write(TestContent(), at: "a", if: Precondition(ifMatch: .any), link: link)
            }
            let file = try await scene.store.file(.link(link))
            #expect(file == nil)
        },
    ]

    /// Corrupt blobs and their repair by the next upload.
    static let healing: [Clause] = [
        clause("A revision is intact until its bytes are found damaged; else wrong bytes are served.") { scene in
            let content = TestContent()
            let blob = try await scene.claim(content)
            let link = Link.hash(content.digest)
            let record = try await scene.write(content, at: "a", link: link).record.required()
            try await scene.store.settle(.corrupt(blob.key))
            let selectors = [try scene.selector("a"), .id(record.container, record.id), .link(link)]
            for selector in selectors {
                let revision = try await scene.store.file(selector)?.revision
                #expect(revision?.isIntact == false)
                #expect(revision?.id == record.revision?.id)
            }
            let listed = try await scene.store.list(ListQuery(container: record.container)).entries.first?.revision
            #expect(record.revision?.isIntact == true)
            #expect(listed?.isIntact == false)
        },
        clause("An upload of a corrupt content gives its bytes back to every revision that had them.") { scene in
            let content = TestContent()
            let corrupt = try await scene.claim(content)
            let other = try await scene.account()
            try await scene.write(content, at: "a")
            try await scene.write(content, at: "b")
            let before = try await scene.write(content, at: "c", in: other).record
            try await scene.store.settle(.corrupt(corrupt.key))
            let healed = try await scene.write(content, at: "a").record?.revision
            let key = try healed.required().blob
            let (second, third) = (try await scene.file("b"), try await scene.file("c", in: other))
            #expect(key != corrupt.key)
            #expect(second?.revision?.blob == key)
            #expect(third?.revision?.blob == key)
            #expect(third?.revision?.id == before?.revision?.id)
            #expect(third?.revision?.isIntact == true)
        },
        clause(
            "An upload of a corrupt content to a path of its own heals the others too; else proved bytes help nobody."
        ) {
            scene in
            let content = TestContent()
            let corrupt = try await scene.claim(content)
            try await scene.write(content, at: "a")
            try await scene.store.settle(.corrupt(corrupt.key))
            let whole = try await scene.write(content, at: "b").record?.revision?.blob
            let healed = try await scene.file("a")?.revision
            #expect(healed?.isIntact == true)
            #expect(healed?.blob == whole)
        },
        clause("Other bytes over a corrupt file leave the other files of the corrupt content alone.") { scene in
            let content = TestContent()
            let corrupt = try await scene.claim(content)
            try await scene.write(content, at: "a")
            let before = try await scene.write(content, at: "b").record
            try await scene.store.settle(.corrupt(corrupt.key))
            try await scene.write(TestContent(), at: "a")
            let (file, other) = (try await scene.file("a")?.revision, try await scene.file("b")?.revision)
            #expect(file?.isIntact == true)
            #expect(other?.isIntact == false)
            #expect(other?.id == before?.revision?.id)
            #expect(other?.blob == corrupt.key)
        },
        clause("Healing counts nothing twice, and the healed bytes are not collected.") { scene in
            let content = TestContent()
            let corrupt = try await scene.claim(content)
            for path in ["a", "b"] { try await scene.write(content, at: path) }
            try await scene.store.settle(.corrupt(corrupt.key))
            try await scene.write(content, at: "a", keep: 0)
            let usage = try await scene.usage()
            let doomed = try await scene.doom()
            #expect(usage == Usage(bytes: 20, files: 2))
            #expect(doomed.isEmpty)
        },
        clause("A corrupt blob is never doomed: its bytes are evidence.") { scene in
            let content = TestContent()
            let blob = try await scene.claim(content)
            try await scene.write(content, at: "a")
            try await scene.store.settle(.corrupt(blob.key))
            try await scene.delete("a")
            let doomed = try await scene.doom()
            #expect(doomed.isEmpty)
        },
    ]

    static let largeHealing: [Clause] = [
        clause("Thousands of revisions of a corrupt content are healed by one upload; else some stay damaged for ever.")
        {
            scene in
            let content = TestContent()
            let corrupt = try await scene.claim(content)
            _ = try await simultaneously(50) { worker in
                for index in 0..<45 { try await scene.write(content, at: "a/\(worker)/\(index)") }
            }
            try await scene.store.settle(.corrupt(corrupt.key))
            let key = try await scene.write(content, at: "b").record.required().revision.required().blob
            var query = ListQuery(container: scene.owner.container.id, limit: 1_000)
            var healed = 0
            while true {
                let page = try await scene.store.list(query)
                healed += page.entries.count { $0.revision?.blob == key && $0.revision?.isIntact == true }
                guard page.hasMore, let last = page.entries.last else { break }
                query.after = last.path
            }
            #expect(healed == 2_251)
        }
    ]
}
