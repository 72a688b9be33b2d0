import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Walks through all files of a container by their names.
    static let searches: [Clause] = [
        clause("A search of nothing finds every file once and no folder, in byte order, whatever the stretches.") {
            scene in
            try await scene.write(at: names.shuffled() + ["f/g/\u{E9}", "f/h", "f!"])
            try await scene.makeFolder("empty")
            let all = try await scene.paths()
            for (limit, stretch) in [(1, 1), (1, 100), (3, 2), (2, 3), (100, 7), (100, 100), (1_000, 1_000)] {
                let found = try await scene.search(limit: limit, stretch: stretch)
                #expect(found == all)
            }
        },
        clause("Text is found in names as bytes: wildcards, case and composition mean nothing.") { scene in
            try await scene.write(at: names)
            let all = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
            for text in names.map({ Array($0.utf8) }) + [[0xC3], [0xBF], [0xF0, 0x9F], [0xFF], [0x00]] {
                let expected = all.filter { name in
                    (0..<name.count).contains { name[$0...].starts(with: text) }
                }
                for (limit, stretch) in [(1, 1), (2, 5), (1_000, 1_000)] {
                    let found = try await scene.search(text: text, limit: limit, stretch: stretch)
                    #expect(found == expected)
                }
            }
        },
        clause("Text is looked for in the last segment alone, and never over its slash.") { scene in
            try await scene.write(at: ["ab/c", "ab/xab", "c/ab/d", "x/cab", "ab.txt"])
            let found = try await scene.search(text: Array("ab".utf8), limit: 1, stretch: 2)
            let overSlash = try await scene.search(text: Array("b/c".utf8))
            #expect(found == ["ab.txt", "ab/xab", "x/cab"].map { Array($0.utf8) })
            #expect(overSlash.isEmpty)
        },
        clause("An extension is the end of a name behind a dot that does not begin it, in either case.") { scene in
            try await scene.write(at: [
                "a.txt", "b.TXT", "c.tXt.gz", "txt", ".txt", "x.txt/y", "f/.txt", "f/d.txt", "etxt", "g.txts", "h..txt",
            ])
            for (suffix, expected) in [
                ("txt", ["a.txt", "b.TXT", "f/d.txt", "h..txt"]), ("TXT", ["a.txt", "b.TXT", "f/d.txt", "h..txt"]),
                ("gz", ["c.tXt.gz"]), ("txt.gz", ["c.tXt.gz"]), ("x", []), (".txt", ["h..txt"]),
            ] {
                for (limit, stretch) in [(1, 1), (2, 3), (1_000, 1_000)] {
                    let found = try await scene.search(suffix: Array(suffix.utf8), limit: limit, stretch: stretch)
                    #expect(found == expected.map { Array($0.utf8) })
                }
            }
        },
        clause("A folder narrows a search to what lies below it, at any depth.") { scene in
            try await scene.write(at: ["a/b", "a/c/d", "a!", "a0", "ab/e", "f"])
            for (folder, expected) in [("a", ["a/b", "a/c/d"]), ("a/c", ["a/c/d"]), ("f", []), ("none", [])] {
                for (limit, stretch) in [(1, 1), (1_000, 1_000)] {
                    let found = try await scene.search(below: folder, limit: limit, stretch: stretch)
                    #expect(found == expected.map { Array($0.utf8) })
                }
            }
        },
        clause("All conditions of a search hold together, and what is found is as found by path.") { scene in
            try await scene.write(at: ["a/one.txt", "a/one.png", "a/two.txt", "b/one.txt"])
            let query = SearchQuery(
                container: scene.owner.container.id, folder: try FilePath("a"), text: Array("one".utf8),
                suffix: Array("txt".utf8))
            let found = try await scene.store.search(query)
            let file = try await scene.file("a/one.txt")
            #expect(found.entries == [try file.required()])
        },
        clause("A search finds nothing of another container, nor in one that does not exist.") { scene in
            let other = try await scene.account()
            try await scene.write(at: ["a"], in: other)
            let mine = try await scene.search()
            let unknown = try await scene.store.search(SearchQuery(container: ContainerID()))
            #expect(mine.isEmpty)
            #expect(unknown.entries.isEmpty)
            #expect(unknown.end == nil)
        },
        clause("A stretch looks at no more entries than it may, and goes on behind them; else a search never ends.") {
            scene in
            try await scene.write(at: ["a", "b", "c/d", "e"])
            var query = SearchQuery(container: scene.owner.container.id, text: Array("e".utf8), stretch: 2)
            let first = try await scene.store.search(query)
            query.after = first.end
            let second = try await scene.store.search(query)
            #expect(first.entries.isEmpty)
            #expect(try first.end.required().text < "c")
            #expect(try second.end.required() > first.end.required())
        },
    ]

    /// What the folders at the root hold.
    static let folderUsages: [Clause] = [
        clause("Each folder at the root counts the files below it at any depth, without older revisions.") { scene in
            for (path, size) in [("a/x", 1), ("a/b/c/y", 10), ("b/x", 100), ("top", 1_000), ("a!/z", 10_000)] {
                try await scene.write(TestContent(size: Int64(size)), at: path)
            }
            try await scene.write(TestContent(size: 7), at: "b/x")
            try await scene.makeFolder("empty/inside")
            for limit in [1, 2, 3, 5, 100] {
                let usage = try await scene.folderUsage(limit: limit)
                #expect(
                    try usage == [
                        FilePath("a"): Usage(bytes: 11, files: 2), FilePath("a!"): Usage(bytes: 10_000, files: 1),
                        FilePath("b"): Usage(bytes: 7, files: 1), FilePath("empty"): Usage(),
                    ])
            }
        },
        clause("A file of no bytes is a file.") { scene in
            try await scene.write(TestContent(size: 0), at: "a/x")
            let usage = try await scene.folderUsage(limit: 10)
            #expect(try usage == [FilePath("a"): Usage(files: 1)])
        },
        clause("Folders with unusual names are counted apart, as bytes.") { scene in
            for name in names { try await scene.write(TestContent(), at: "\(name)/file") }
            for limit in [1, 7, 1_000] {
                let usage = try await scene.folderUsage(limit: limit)
                #expect(usage.count == names.count)
                #expect(usage.values.allSatisfy { $0 == Usage(bytes: 10, files: 1) })
            }
        },
        clause("The folders of a stretch come in byte order, and of another container there is nothing.") { scene in
            let other = try await scene.account()
            try await scene.write(at: ["a/x", "a!/x", "b/x"])
            let mine = try await scene.store.folderUsage(of: scene.owner.container.id, after: nil, limit: 100)
            let theirs = try await scene.store.folderUsage(of: other.container.id, after: nil, limit: 100)
            #expect(mine.entries.map(\.folder.text) == ["a", "a!", "b"])
            #expect(mine.end == nil)
            #expect(theirs.entries.isEmpty)
            #expect(theirs.end == nil)
        },
    ]
}

extension MetadataScene {
    /// The paths of all stretches of a search, as bytes.
    fileprivate func search(
        below folder: String? = nil, text: [UInt8] = [], suffix: [UInt8]? = nil, limit: Int = 1_000,
        stretch: Int = 1_000
    ) async throws -> [[UInt8]] {
        var query = SearchQuery(
            container: owner.container.id, folder: try folder.map { try FilePath($0) }, text: text, suffix: suffix,
            limit: limit, stretch: stretch)
        var paths: [[UInt8]] = []
        while true {
            let part = try await store.search(query)
            guard part.entries.count <= limit else { throw MissingValue(what: "limit of a stretch") }
            paths += part.entries.map(\.path.bytes)
            guard let end = part.end else { return paths }
            guard query.after.map({ $0 < end }) ?? true else { throw MissingValue(what: "stretch behind \(end)") }
            query.after = end
        }
    }

    /// What all stretches say of the folders at the root, added up.
    fileprivate func folderUsage(limit: Int) async throws -> [FilePath: Usage] {
        var usage: [FilePath: Usage] = [:]
        var after: FilePath?
        while true {
            let part = try await store.folderUsage(of: owner.container.id, after: after, limit: limit)
            for folder in part.entries {
                usage[folder.folder, default: Usage()].bytes += folder.bytes
                usage[folder.folder, default: Usage()].files += folder.files
            }
            guard let end = part.end else { return usage }
            guard after.map({ $0 < end }) ?? true else { throw MissingValue(what: "stretch behind \(end)") }
            after = end
        }
    }
}
