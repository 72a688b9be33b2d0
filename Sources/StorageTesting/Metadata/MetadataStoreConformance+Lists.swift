import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Names that sort, match and compare badly where text is taken for more than bytes.
    static let names = [
        "!", "%", "%%", "%a", "+", "-", "A", "B", "\\", "\\%", "_", "_a", "a", "a b", "a!", "a%b", "a-b", "a.b", "a0",
        "a_b",
        "aa", "ab", "b", "e\u{301}", "z", "~", "\u{E9}", "\u{E9}a", "\u{43F}", "\u{FF21}", "\u{FFFD}", "\u{1F600}",
        "\u{10FFFF}",
    ]

    /// Listings and their pages.
    static let lists: [Clause] = [
        clause("Files come in byte order of their paths; else pages and other stores disagree.") { scene in
            try await scene.write(at: names.shuffled())
            let paths = try await scene.paths()
            #expect(paths == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
        },
        clause("Pages of every size give each entry once.") { scene in
            try await scene.write(at: names)
            let whole = try await scene.paths()
            for limit in [1, 2, 3, 10, names.count - 1, names.count, names.count + 1] {
                let paged = try await scene.paths(limit: limit)
                #expect(paged == whole)
            }
        },
        clause("A page says whether there is more, also when it is exactly full.") { scene in
            try await scene.write(at: ["a", "b", "c"])
            for (limit, hasMore) in [(1, true), (2, true), (3, false), (4, false)] {
                let page = try await scene.store.list(ListQuery(container: scene.owner.container.id, limit: limit))
                #expect(page.hasMore == hasMore)
                #expect(page.entries.count == min(limit, 3))
            }
        },
        clause("Entries are listed as they are found by path.") { scene in
            try await scene.write(TestContent(size: 3), at: "f/a", type: "image/png", name: "n", kind: .image)
            let page = try await scene.store.list(ListQuery(container: scene.owner.container.id))
            let file = try await scene.file("f/a")
            #expect(page.entries.first == file)
        },
        clause("Inserts and deletes between pages neither repeat nor skip another entry.") { scene in
            try await scene.write(at: ["b", "d", "f", "h"])
            var query = ListQuery(container: scene.owner.container.id, limit: 2)
            let first = try await scene.store.list(query)
            try await scene.write(at: ["a", "c", "e", "z"])
            try await scene.delete("d")
            query.after = try first.entries.last.required().path
            query.limit = 100
            let second = try await scene.store.list(query)
            #expect(first.entries.map(\.path.text) == ["b", "d"])
            #expect(second.entries.map(\.path.text) == ["e", "f", "h", "z"])
        },
        clause("A listing of all files leaves folders out.") { scene in
            try await scene.write(at: ["a/b", "c"])
            try await scene.makeFolder("empty")
            let paths = try await scene.paths().map { String(decoding: $0, as: UTF8.self) }
            #expect(paths == ["a/b", "c"])
        },
        clause("A container shows nothing of another; one that does not exist is empty.") { scene in
            let other = try await scene.account()
            try await scene.write(at: ["a"])
            let theirs = try await scene.paths(in: other)
            let unknown = try await scene.store.list(ListQuery(container: ContainerID()))
            #expect(theirs.isEmpty)
            #expect(unknown.entries.isEmpty)
            #expect(!unknown.hasMore)
        },
        clause("A sort narrows the list, on every page.") { scene in
            for (index, kind) in [FileKind.image, .text, .image, .media, .image, .other].enumerated() {
                try await scene.write(TestContent(), at: "f/\(index)", kind: kind)
            }
            for kind in FileKind.allCases {
                let whole = try await scene.paths(kind: kind)
                let paged = try await scene.paths(kind: kind, limit: 1)
                #expect(whole.count == (kind == .image ? 3 : 1))
                #expect(paged == whole)
            }
        },
        clause("A folder's listing has its direct entries, folders included, in byte order.") { scene in
            try await scene.write(at: ["a/b/c", "a/b/d/e", "a/b!", "a/b0", "a/z", "ab/c", "a!", "top"])
            try await scene.makeFolder("a/empty")
            let folder = try FilePath("a")
            let expected = ["a/b", "a/b!", "a/b0", "a/empty", "a/z"].map { Array($0.utf8) }
            for limit in [1, 2, 1_000] {
                let paths = try await scene.paths(.folder(folder), limit: limit)
                #expect(paths == expected)
            }
        },
        clause("The root's listing has the entries that no folder is above of.") { scene in
            try await scene.write(at: ["a/b/c", "a!", "top"])
            try await scene.makeFolder("empty")
            for limit in [1, 1_000] {
                let paths = try await scene.paths(.folder(nil), limit: limit)
                #expect(paths == ["a", "a!", "empty", "top"].map { Array($0.utf8) })
            }
        },
        clause("The listing of a folder that is empty, not there, or a file has no entries.") { scene in
            try await scene.makeFolder("empty")
            try await scene.write(at: ["file", "fileandmore/a"])
            for path in ["empty", "none", "file"] {
                let paths = try await scene.paths(.folder(FilePath(path)))
                #expect(paths.isEmpty)
            }
        },
        clause("A folder's listing narrowed to a sort has that sort's files alone.") { scene in
            try await scene.write(TestContent(), at: "a/b/c", kind: .image)
            try await scene.write(TestContent(), at: "a/image", kind: .image)
            try await scene.write(TestContent(), at: "a/text", kind: .text)
            try await scene.write(TestContent(), at: "a/zimage", kind: .image)
            for limit in [1, 1_000] {
                let paths = try await scene.paths(.folder(FilePath("a")), kind: .image, limit: limit)
                #expect(paths == ["a/image", "a/zimage"].map { Array($0.utf8) })
            }
        },
        clause("A tree has everything below a folder, each folder before what is in it.") { scene in
            try await scene.write(at: ["a/b/c", "a/b-c/d", "a/b!", "a/z", "ab/c", "a!", "top"])
            try await scene.makeFolder("a/empty")
            let expected = ["a/b", "a/b!", "a/b-c", "a/b-c/d", "a/b/c", "a/empty", "a/z"].map { Array($0.utf8) }
            for limit in [1, 2, 3, 1_000] {
                let paths = try await scene.paths(.tree(FilePath("a")), limit: limit)
                #expect(paths == expected)
            }
        },
        clause("The tree of a folder that is empty, not there, or a file has no entries.") { scene in
            try await scene.makeFolder("empty")
            try await scene.write(at: ["file", "fileandmore/a"])
            for path in ["empty", "none", "file"] {
                let paths = try await scene.paths(.tree(FilePath(path)))
                #expect(paths.isEmpty)
            }
        },
        clause("A tree narrowed to a sort has that sort's files alone.") { scene in
            try await scene.write(TestContent(), at: "a/b/c", kind: .image)
            try await scene.write(TestContent(), at: "a/text", kind: .text)
            try await scene.makeFolder("a/empty")
            for (kind, expected) in [(FileKind.image, ["a/b/c"]), (.text, ["a/text"]), (.other, [])] {
                let paths = try await scene.paths(.tree(FilePath("a")), kind: kind, limit: 1)
                #expect(paths == expected.map { Array($0.utf8) })
            }
        },
    ]

    /// Listings by the bytes that a path starts with.
    static let prefixes: [Clause] = [
        clause("A prefix matches bytes: wildcards, case and composition mean nothing.") { scene in
            try await scene.write(at: names)
            let all = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
            for name in names {
                let prefix = Array(name.utf8)
                let paths = try await scene.paths(.files(prefix: prefix), limit: 2)
                #expect(paths == all.filter { $0.starts(with: prefix) })
            }
        },
        clause("A prefix may end inside a letter.") { scene in
            try await scene.write(at: names)
            let all = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
            for prefix: [UInt8] in [[0xC3], [0xF0], [0xF0, 0x9F], [0xEF, 0xBF], [0xF4, 0x8F, 0xBF]] {
                let paths = try await scene.paths(.files(prefix: prefix))
                #expect(paths == all.filter { $0.starts(with: prefix) })
                #expect(!paths.isEmpty)
            }
        },
        clause("A prefix that has no successor of its length matches what it matches: FF bytes at its end.") { scene in
            try await scene.write(at: names)
            for prefix: [UInt8] in [[0xFF], [0xFF, 0xFF], [0xF4, 0xFF], [0xC3, 0xFF, 0xFF]] {
                let paths = try await scene.paths(.files(prefix: prefix))
                #expect(paths.isEmpty)
            }
            let last = Array("\u{10FFFF}".utf8)
            let paths = try await scene.paths(.files(prefix: last))
            #expect(paths == [last])
        },
        clause("A prefix reaches below folders and may name one in part.") { scene in
            try await scene.write(at: ["docs/a", "docs/b/c", "documents/d", "dog"])
            let some = try await scene.paths(.files(prefix: Array("doc".utf8)), limit: 1)
            let folder = try await scene.paths(.files(prefix: Array("docs/".utf8)))
            #expect(some == ["docs/a", "docs/b/c", "documents/d"].map { Array($0.utf8) })
            #expect(folder == ["docs/a", "docs/b/c"].map { Array($0.utf8) })
        },
        clause("A cursor before, inside or behind the prefix is kept to.") { scene in
            try await scene.write(at: ["a", "b1", "b2", "c"])
            for (after, expected) in [("a", ["b1", "b2"]), ("b1", ["b2"]), ("b2", []), ("c", [])] {
                let query = ListQuery(
                    container: scene.owner.container.id, scope: .files(prefix: Array("b".utf8)),
                    after: try FilePath(after))
                let page = try await scene.store.list(query)
                #expect(page.entries.map(\.path.text) == expected)
                #expect(!page.hasMore)
            }
        },
    ]
}
