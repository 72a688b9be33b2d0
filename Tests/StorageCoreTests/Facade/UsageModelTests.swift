import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("A long sequence of changes")
struct UsageModelTests {
    enum Change {
        case put(Int, String)
        case makeFolder(String)
        case delete(String, recursively: Bool)
        case move(String, String, overwrite: Bool)
        case copy(String, String, overwrite: Bool)
    }

    /// Contents of sizes of which every sum is another one, as far as it matters.
    private static let contents = (0..<8).map { String(repeating: "\($0)", count: 1 << (2 * $0)) }
    private static let paths =
        ["a", "b", "c"].flatMap { top in
            [top] + ["a", "b"].flatMap { ["\(top)/\($0)", "\(top)/\($0)/a", "\(top)/\($0)/b"] }
        }

    private static func change(_ random: inout SeededGenerator) -> Change {
        func path() -> String { paths[Int.random(in: paths.indices, using: &random)] }
        let overwrite = Bool.random(using: &random)
        return switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: .put(Int.random(in: contents.indices, using: &random), path())
        case 45..<53: .makeFolder(path())
        case 53..<68: .delete(path(), recursively: false)
        case 68..<73: .delete(path(), recursively: true)
        case 73..<88: .move(path(), path(), overwrite: overwrite)
        default: .copy(path(), path(), overwrite: overwrite)
        }
    }

    private func apply(_ change: Change, to model: inout TreeModel) -> Bool {
        do {
            switch change {
            case .put(let content, let path): try model.put(content, at: path)
            case .makeFolder(let path): try model.makeFolder(path)
            case .delete(let path, let recursively): try model.delete(path, recursively: recursively)
            case .move(let source, let target, let overwrite): try model.move(source, to: target, overwrite: overwrite)
            case .copy(let source, let target, let overwrite): try model.copy(source, to: target, overwrite: overwrite)
            }
            return true
        } catch {
            return false
        }
    }

    private func apply(_ change: Change, to storage: FileStorage, as principal: Principal) async throws -> Bool {
        do {
            switch change {
            case .put(let content, let path):
                try await storage.put(Self.contents[content], at: path, as: principal)
            case .makeFolder(let path):
                _ = try await storage.makeFolder(try FilePath(path), as: principal)
            case .delete(let path, let recursively):
                try await storage.delete(try storage.selector(path, of: principal), recursively: recursively)
            case .move(let source, let target, let overwrite):
                _ = try await storage.move(
                    try storage.selector(source, of: principal), to: try FilePath(target), as: principal,
                    overwrite: overwrite)
            case .copy(let source, let target, let overwrite):
                _ = try await storage.copy(
                    try storage.selector(source, of: principal), to: try FilePath(target), as: principal,
                    overwrite: overwrite)
            }
            return true
        } catch let error as StorageError {
            try #require([.notFound, .exists, .pathConflict, .folderNotEmpty].contains(error.code), "\(error)")
            return false
        }
    }

    /// A copy of a folder into one that exists can stop half-way; what it may leave then is not of interest here.
    private func isOfInterest(_ change: Change, _ model: TreeModel) -> Bool {
        guard case .copy(let source, let target, true) = change, model.nodes[source] == .folder else { return true }
        return model.nodes[target] == nil
    }

    @Test("leaves exactly the tree, the usage and the bytes that a simple model has", arguments: [1, 2, 3] as [UInt64])
    func agrees(seed: UInt64) async throws {
        let fixture = StorageFixture { $0.keepRevisions = 2 }
        let ann = try await fixture.user()
        var model = TreeModel(sizes: Self.contents.map(\.utf8.count), keep: 2)
        var random = SeededGenerator(seed: seed)
        var accepted = 0
        for step in 0..<2_000 {
            let change = Self.change(&random)
            guard isOfInterest(change, model) else { continue }
            let expected = apply(change, to: &model)
            let actual = try await apply(change, to: fixture.storage, as: ann)
            try #require(actual == expected, "step \(step): \(change)")
            accepted += actual ? 1 : 0
            let usage = try await fixture.storage.usage(of: ann)
            let (bytes, files, revisionBytes) = model.usage
            let wanted = Usage(bytes: Int64(bytes), files: Int64(files), revisionBytes: Int64(revisionBytes))
            try #require(usage == wanted, "step \(step): \(change)")
            guard step.isMultiple(of: 20) else { continue }
            let tree = try await fixture.storage.tree(of: ann)
            try #require(tree == model.tree, "step \(step): \(change)")
        }
        #expect(accepted > 500)
        try await checkBytes(model, fixture, ann)
    }

    /// What the model refers to is readable, and a collection takes everything else away.
    private func checkBytes(_ model: TreeModel, _ fixture: StorageFixture, _ principal: Principal) async throws {
        fixture.clock.advance(by: .seconds(1))
        let collector = GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: .seconds(3_600))
        _ = try await collector.collect()
        let stored = try await Set(fixture.keys().map(\.digest))
        let wanted = try Set(model.contents.map { try BlobDigest.of(ByteBuffer(string: Self.contents[$0])) })
        #expect(stored == wanted)
        for (path, node) in model.nodes {
            guard case .file(let contents) = node, let current = contents.last else { continue }
            let text = try await fixture.storage.text(at: path, of: principal)
            #expect(text == Self.contents[current], "\(path)")
        }
        #expect(fixture.blobs.isTidy)
    }
}
