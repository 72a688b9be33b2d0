import StorageTesting
import Synchronization
import Testing

@testable import StorageCore

@Suite("Searches and folders")
struct SearchTests {
    private func names(_ search: FileSearch, _ storage: FileStorage, _ principal: Principal) async throws -> [String] {
        try await storage.search(search, as: principal).map(\.path.text)
    }

    @Test("find by text, by expression, below a folder, by extension")
    func found() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["docs/a1.txt", "docs/old/a2.txt", "docs/b.png", "a3.txt"] {
            try await fixture.storage.put("x", at: path, as: ann)
        }
        for (pattern, folder, suffix, expected) in [
            ("a", nil, nil, ["a3.txt", "docs/a1.txt", "docs/old/a2.txt"]),
            ("^a[12]", nil, nil, ["docs/a1.txt", "docs/old/a2.txt"]),
            ("^a[12]", "docs/old", nil, ["docs/old/a2.txt"]),
            ("", "docs", "txt", ["docs/a1.txt", "docs/old/a2.txt"]),
            ("^b", nil, "txt", []),
            ("docs", nil, nil, []),
        ] as [(String, String?, String?, [String])] {
            let search = FileSearch(
                folder: try folder.map { try FilePath($0) }, suffix: suffix.map { Array($0.utf8) },
                pattern: try NamePattern(Array(pattern.utf8)))
            let found = try await names(search, fixture.storage, ann)
            #expect(found == expected)
        }
    }

    @Test("find the first in their order", arguments: FileSearch.Order.allCases)
    func ordered(order: FileSearch.Order) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for (path, text) in [("b/z", "xxx"), ("a/y", "xxxx"), ("c/x", "x"), ("d/w", "xx")] {
            fixture.clock.advance(by: .seconds(1))
            try await fixture.storage.put(text, at: path, as: ann)
        }
        fixture.clock.advance(by: .seconds(1))
        try await fixture.storage.put("xxxxx", at: "b/z", as: ann)
        let expected: [String] =
            switch order {
            case .path: ["a/y", "b/z", "c/x", "d/w"]
            case .name: ["d/w", "c/x", "a/y", "b/z"]
            case .size: ["c/x", "d/w", "a/y", "b/z"]
            case .createdAt: ["b/z", "a/y", "c/x", "d/w"]
            case .modifiedAt: ["a/y", "c/x", "d/w", "b/z"]
            }
        for limit in 1...5 {
            for pattern in ["", "."] {
                let search = FileSearch(pattern: try NamePattern(Array(pattern.utf8)), order: order, limit: limit)
                let found = try await names(search, fixture.storage, ann)
                #expect(found == Array(expected.prefix(limit)))
            }
        }
    }

    @Test("go through more files than one stretch has, each once")
    func manyStretches() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<2_100 { try await fixture.storage.put("", at: "f\(number % 3)/\(number)", as: ann) }
        let expression = FileSearch(pattern: try NamePattern(Array("^[0-9]*7$".utf8)), order: .name, limit: 1_000)
        let found = try await fixture.storage.search(expression, as: ann)
        let numbers = (0..<2_100).filter { $0 % 10 == 7 }.map(String.init)
        #expect(
            found.map { String(decoding: $0.path.name, as: UTF8.self) }
                == numbers.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        let folders = try await fixture.storage.folderUsage(of: ann)
        #expect(folders.map(\.folder.text) == ["f0", "f1", "f2"])
        #expect(folders.map(\.files) == [700, 700, 700])
    }

    @Test("take no step for every file that is nearly what is looked for")
    func nearMisses() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<2_100 { try await fixture.storage.put("", at: "photos/\(number).png", as: ann) }
        try await fixture.storage.put("", at: "z.jpg", as: ann)
        let asked = Mutex(0)
        let search = FileSearch(suffix: Array("jpg".utf8), pattern: try NamePattern([]), limit: 1)
        let found = try await fixture.storage.search(search, as: ann) {
            asked.withLock { $0 += 1 }
            return true
        }
        #expect(found.map(\.path.text) == ["z.jpg"])
        #expect(asked.withLock { $0 } < 12)
    }

    @Test("end between two steps when nobody waits any more")
    func left() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<2_100 { try await fixture.storage.put("", at: "\(number)", as: ann) }
        let expression = FileSearch(pattern: try NamePattern(Array("^x$".utf8)))
        for most in 0..<3 {
            let asked = Mutex(0)
            await #expect(throws: CancellationError.self) {
                try await fixture.storage.search(expression, as: ann) {
                    asked.withLock { asked in
                        asked += 1
                        return asked <= most
                    }
                }
            }
            #expect(asked.withLock { $0 } == most + 1)
        }
        await #expect(throws: CancellationError.self) { try await fixture.storage.folderUsage(of: ann) { false } }
    }

    @Test("many at once all find what there is")
    func atOnce() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a/b.txt", as: ann)
        let search = FileSearch(pattern: try NamePattern(Array("^b".utf8)))
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<ContainerWalks.mostThroughOne {
                group.addTask { try await fixture.storage.search(search, as: ann).count }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts == Array(repeating: 1, count: ContainerWalks.mostThroughOne))
    }

    @Test("show nothing of anybody else, and nothing before the first write")
    func strangers() async throws {
        let fixture = StorageFixture()
        let (ann, bob) = (try await fixture.user(), try await fixture.user("bob"))
        let token = try await fixture.principal(of: .random())
        try await fixture.storage.put("x", at: "a/b", as: ann)
        for principal in [bob, token] {
            let found = try await fixture.storage.search(FileSearch(), as: principal)
            let folders = try await fixture.storage.folderUsage(of: principal)
            #expect(found.isEmpty)
            #expect(folders.isEmpty)
        }
    }
}
