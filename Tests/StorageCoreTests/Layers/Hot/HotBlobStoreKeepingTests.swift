import Foundation
import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("What HotBlobStore keeps", .timeLimit(.minutes(2)))
struct HotBlobStoreKeepingTests {
    private let scene: HotScene

    init() throws {
        scene = try HotScene()
    }

    private func put(_ count: Int, size: Int) async throws -> [BlobKey] {
        var keys: [BlobKey] = []
        for seed in 0..<count { keys.append(try await scene.far.put(HotScene.bytes(size, seed: UInt64(seed)))) }
        return keys
    }

    @Test("are the blobs that were read last, within its capacity")
    func capacity() async throws {
        let scene = scene
        let keys = try await put(20, size: 200_000)
        try await scene.run(capacity: 1_000_000) { hot in
            for (index, key) in keys.enumerated() {
                _ = try await hot.read(key)
                await hot.settle(min(index + 1, 4))
                let sizes = try scene.kept.map { name in
                    try FileManager.default.attributesOfItem(atPath: "\(scene.directory.path)/\(name)")[.size] as? Int
                }
                #expect(sizes.reduce(0) { $0 + ($1 ?? 0) } <= 1_000_000)
                // The first one is read again and again.
                let count = try await hot.count(keys[0])
                #expect(count == 200_000)
            }
            let kept = Set(try scene.kept)
            #expect(kept == Set((keys.suffix(3) + [keys[0]]).map(\.name)))
        }
        #expect(scene.far.opened.count == 20)
    }

    @Test("are no blobs larger than a quarter of its capacity")
    func large() async throws {
        let scene = scene
        let keys = try await put(1, size: 300_000)
        try await scene.run(capacity: 1_000_000) { hot in
            for _ in 0..<2 {
                let count = try await hot.count(keys[0])
                #expect(count == 300_000)
            }
            #expect(hot.fills.running == 0)
        }
        #expect(scene.far.opened.count == 2)
        #expect(try scene.kept.isEmpty)
    }

    @Test("is there after a restart, as far as there is room, beside things of others")
    func restart() async throws {
        let scene = scene
        let keys = try await put(6, size: 100_000)
        try await scene.run { hot in
            for key in keys { _ = try await hot.read(key) }
            await hot.settle(6)
        }
        let foreign = "\(scene.directory.path)/store/00/notes"
        try Data("mine".utf8).write(to: URL(filePath: foreign))
        try await scene.run { hot in
            await hot.settle(6)
            for key in keys {
                let count = try await hot.count(key)
                #expect(count == 100_000)
            }
        }
        #expect(scene.far.opened.count == 6)
        try await scene.run(capacity: 450_000) { hot in await hot.settle(4) }
        #expect(try scene.kept.count == 4 + 1)
        #expect(try Data(contentsOf: URL(filePath: foreign)) == Data("mine".utf8))
    }

    @Test("is served while it is not known yet what there is, and by nobody at work")
    func atRest() async throws {
        let scene = scene
        let keys = try await put(2, size: 100_000)
        try await scene.run { hot in
            _ = try await hot.read(keys[0])
            await hot.settle(1)
        }
        let hot = try await HotBlobStore.open(scene.far, directory: scene.directory.path, capacity: 1 << 30)
        for key in keys {
            let count = try await hot.count(key)
            #expect(count == 100_000)
        }
        #expect(scene.far.opened.count == 2)
        #expect(try scene.kept == [keys[0].name])
    }

    @Test("leaves as much of the disk free as it is told")
    func reserve() async throws {
        let hot = try await HotBlobStore.open(
            scene.far, directory: scene.directory.path, capacity: 1 << 30, reserve: 1 << 60)
        #expect(hot.disk.configuration.reserve == 1 << 60)
        await hot.shutdown()
    }

    @Test("goes with the blob", arguments: [1_000, 100_000])
    func removal(size: Int) async throws {
        let scene = scene
        let keys = try await put(2, size: size)
        try await scene.run { hot in
            for key in keys { _ = try await hot.read(key) }
            await hot.settle(2)
            try await hot.remove(keys)
            let opened = try await hot.open(keys[0], range: nil)
            #expect(opened == nil)
            #expect(try scene.kept.isEmpty)
            let info = try await scene.far.info(for: keys[0])
            #expect(info == nil)
        }
    }

    @Test("is no blob that is removed while it comes, though its readers get it to the end")
    func removalMeanwhile() async throws {
        let scene = scene
        let bytes = HotScene.bytes(1_000_000)
        let key = try await scene.far.put(bytes)
        scene.far.plan { $0.heldFrom = 500_000 }
        try await scene.run { hot in
            let content = try #require(try await hot.open(key, range: nil))
            try await hot.remove(key)
            let opened = try await hot.open(key, range: nil)
            #expect(opened == nil)
            scene.far.gate.open()
            let received = try await content.bytes()
            #expect(received == Array(bytes.readableBytesView))
            await hot.settle(0)
        }
        #expect(try scene.kept.isEmpty)
    }

    @Test("is dropped when somebody has found it wrong, and fetched again")
    func dropping() async throws {
        let scene = scene
        let keys = try await put(1, size: 100_000)
        try await scene.run { hot in
            _ = try await hot.read(keys[0])
            await hot.settle(1)
            await hot.dropCopies(of: keys[0])
            #expect(try scene.kept.isEmpty)
            _ = try await hot.read(keys[0])
            await hot.settle(1)
        }
        #expect(scene.far.opened.count == 2)
    }

    enum Damage: CaseIterable {
        case gone
        case shorter
        case changed
        case folder
    }

    @Test("is not believed when it is damaged", arguments: Damage.allCases, [1_000, 100_000])
    func damage(_ damage: Damage, size: Int) async throws {
        // That some byte of a large blob has changed is for the layer above to find.
        if damage == .changed, size > Int(Int64.smallBlob) { return }
        let scene = scene
        let keys = try await put(1, size: size)
        let path = "\(scene.directory.path)/\(keys[0].name)"
        try await scene.run { hot in
            let bytes = try #require(try await hot.read(keys[0]))
            await hot.settle(1)
            let manager = FileManager.default
            switch damage {
            case .gone: try manager.removeItem(atPath: path)
            case .shorter: try Data(bytes.dropLast()).write(to: URL(filePath: path))
            case .changed: try Data([bytes[0] ^ 1] + bytes.dropFirst()).write(to: URL(filePath: path))
            case .folder:
                try manager.removeItem(atPath: path)
                try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
            let bytesRead = try await hot.read(keys[0])
            #expect(bytesRead == bytes)
        }
        #expect(scene.far.opened.count == 2)
    }

    @Test("does not lead to a good blob being marked as damaged when it is")
    func damagedCopy() async throws {
        let scene = scene
        let keys = try await put(1, size: 100_000)
        try await scene.run { hot in
            let bytes = try #require(try await hot.read(keys[0]))
            await hot.settle(1)
            let path = "\(scene.directory.path)/\(keys[0].name)"
            try Data([bytes[0] ^ 1] + bytes.dropFirst()).write(to: URL(filePath: path))
            let content = try #require(try await hot.open(keys[0], range: nil))
            let code = await codeThrown { _ = try await content.stream.verified(by: keys[0].digest).bytes() }
            #expect(code == .corrupt)
            await hot.dropCopies(of: keys[0])
            let again = try #require(try await hot.open(keys[0], range: nil))
            let digest = try await again.digest().digest
            #expect(digest == keys[0].digest)
        }
    }

    @Test("is nothing when the disk is full, and everything is read all the same", arguments: [1_000, 1_000_000])
    func fullDisk(size: Int) async throws {
        let scene = scene
        let keys = try await put(3, size: size)
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.reserve = .max / 2
        let disk = try await LocalDiskBlobStore.open(directory: scene.directory.path, configuration: configuration)
        try await scene.run(HotBlobStore(scene.far, disk: disk, capacity: 1 << 30)) { hot in
            for key in keys {
                let count = try await hot.count(key)
                #expect(count == size)
            }
            await hot.settle(0)
            #expect(hot.fills.index { $0.used } == 0)
        }
        #expect(try scene.kept.isEmpty)
    }

    @Test("is nothing when the disk is gone, and everything is read all the same", arguments: [1_000, 1_000_000])
    func brokenDisk(size: Int) async throws {
        let scene = scene
        let keys = try await put(3, size: size)
        try await scene.run { hot in
            _ = try await hot.read(keys[0])
            await hot.settle(1)
            await hot.shutdown()
            for key in keys {
                let count = try await hot.count(key)
                #expect(count == size)
            }
        }
    }

    @Test("is nothing more when it is not at work any more; who reads meanwhile gets the rest from the store behind")
    func stopped() async throws {
        let scene = scene
        let bytes = HotScene.bytes(1_000_000)
        let key = try await scene.far.put(bytes)
        scene.far.plan { $0.heldFrom = 500_000 }
        let hot = try await HotBlobStore.open(scene.far, directory: scene.directory.path, capacity: 1 << 30)
        let content = try await scene.run(hot) { hot in
            let content = try #require(try await hot.open(key, range: nil))
            var chunks = content.stream.makeAsyncIterator()
            _ = try await chunks.next()
            return content
        }
        scene.far.gate.open()
        let received = try await content.bytes()
        #expect(received == Array(bytes.readableBytesView))
        #expect(hot.fills.running == 0)
        #expect(hot.fills.index { $0.used } == 0)
        let bytesRead = try await hot.read(key)
        #expect(bytesRead == Array(bytes.readableBytesView))
        #expect(try scene.kept.isEmpty)
        // It can be put to work again.
        try await scene.run(hot) { hot in
            _ = try await hot.read(key)
            await hot.settle(1)
        }
    }

    @Test("is right under many readers, removals and a small capacity")
    func turmoil() async throws {
        let scene = scene
        let keys = try await put(30, size: 90_000) + (try await put(30, size: 5_000))
        try await scene.run(capacity: 800_000) { hot in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in 0..<8 {
                    group.addTask {
                        var generator = SeededGenerator(seed: UInt64(reader))
                        for _ in 0..<150 {
                            let key = keys[Int.random(in: 0..<keys.count, using: &generator)]
                            if Int.random(in: 0..<10, using: &generator) == 0 { await hot.dropCopies(of: key) }
                            let content = try #require(try await hot.open(key, range: nil))
                            let digest = try await content.digest().digest
                            #expect(digest == key.digest)
                        }
                    }
                }
                try await group.waitForAll()
            }
            while hot.fills.running > 0 { await Task.yield() }
            #expect(hot.fills.index { $0.used } <= 800_000)
            let kept = try scene.kept
            #expect(hot.fills.index { $0.count } == kept.count)
        }
    }
}
