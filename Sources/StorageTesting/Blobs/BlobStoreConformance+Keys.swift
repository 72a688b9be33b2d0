import NIOCore
import StorageCore
import Testing

extension BlobStoreConformance {
    /// Deleting blobs.
    static let removing: [Clause] = [
        clause("A removed blob is not there any more, nor listed.") { scene in
            let key = try await scene.save(.random(count: 1_000, seed: 30))
            try await scene.store.remove(key)
            let (content, info, keys) = (
                try await scene.store.open(key, range: nil), try await scene.store.info(for: key),
                try await scene.keys()
            )
            #expect(content == nil)
            #expect(info == nil)
            #expect(keys.isEmpty)
        },
        clause("Removing what is not there is fine: never stored, removed before, in a space nobody wrote to.") {
            scene in
            let key = try await scene.save(.random(count: 10, seed: 31))
            for _ in 0..<2 { try await scene.store.remove(key) }
            try await scene.store.remove(BlobKey(space: .shared, digest: .random(), generation: 3))
            try await scene.store.remove(BlobKey(space: Space(id: ContainerID()), digest: .random()))
        },
        clause("Of two blobs whose names share the first two digits, removing one leaves the other.") { scene in
            var seen: [String: ByteBuffer] = [:]
            for seed in 0..<257 {
                let bytes = ByteBuffer.random(count: 40, seed: UInt64(seed))
                let prefix = try BlobDigest.of(bytes).prefix
                guard let twin = seen[prefix] else {
                    seen[prefix] = bytes
                    continue
                }
                let (removed, left) = (try await scene.save(bytes), try await scene.save(twin))
                try await scene.store.remove(removed)
                let read = try await scene.read(left)
                #expect(read == twin)
                return
            }
            Issue.record("257 names must share two digits somewhere.")
        },
        clause("Removing a generation or a space's blob leaves its twins; else a late deletion takes living bytes.") {
            scene in
            let bytes = ByteBuffer.random(count: 1_000, seed: 32)
            let (one, other) = (Space(id: ContainerID()), Space(id: ContainerID()))
            let removed = [
                try await scene.save(bytes), try await scene.save(bytes, in: one),
                try await scene.save(bytes, in: other, generation: 9),
            ]
            let left = [try await scene.save(bytes, generation: 9), try await scene.save(bytes, in: other)]
            for key in removed { try await scene.store.remove(key) }
            let keys = try await scene.keys()
            #expect(keys == left.sorted())
            for key in left {
                let read = try await scene.read(key)
                #expect(read == bytes)
            }
        },
        clause("Many blobs are removed at once, those that are not there and repeated ones too; none is fine.") {
            scene in
            let space = Space(id: ContainerID())
            var keys: [BlobKey] = []
            for seed in 40..<60 {
                keys.append(
                    try await scene.save(
                        .random(count: 50, seed: UInt64(seed)), in: seed.isMultiple(of: 2) ? .shared : space))
            }
            let left = keys.removeFirst()
            try await scene.store.remove([])
            try await scene.store.remove(keys + [BlobKey(space: .shared, digest: .random())] + keys.prefix(3))
            let listed = try await scene.keys()
            #expect(listed == [left])
        },
        clause("A space whose last blob was removed takes further ones.") { scene in
            let space = Space(id: ContainerID())
            let bytes = ByteBuffer.random(count: 10, seed: 33)
            try await scene.store.remove(scene.save(bytes, in: space))
            let key = try await scene.save(bytes, in: space, generation: 4)
            let read = try await scene.read(key)
            #expect(read == bytes)
        },
    ]

    private static func saveMany(in scene: BlobScene) async throws -> [BlobKey] {
        var keys: [BlobKey] = []
        for space in [Space.shared, Space(id: ContainerID()), Space(id: ContainerID.random())] {
            for seed in 50..<55 {
                keys.append(try await scene.save(.random(count: 20, seed: UInt64(seed)), in: space))
            }
            for generation in [1, 9, 10, Int64.max] {
                keys.append(try await scene.save(.random(count: 20, seed: 50), in: space, generation: generation))
            }
        }
        return keys.sorted()
    }

    /// Listing keys.
    static let listing: [Clause] = [
        clause("An empty store has no keys.") { scene in
            let first = try await scene.store.keys(after: nil, limit: 10)
            let later = try await scene.store.keys(after: BlobKey(space: .shared, digest: .random()), limit: 10)
            #expect(first.isEmpty)
            #expect(later.isEmpty)
        },
        clause("Keys come in the order of their names, of all spaces and generations, each once, in pages of any size.")
        {
            scene in
            let keys = try await saveMany(in: scene)
            for limit in [1, 2, 5, keys.count - 1, keys.count, keys.count + 1, 1_000] {
                let listed = try await scene.keys(limit: limit)
                #expect(listed == keys)
            }
        },
        clause("A page begins behind any key, whether that is there or not.") { scene in
            let keys = try await saveMany(in: scene)
            for key in keys {
                let page = try await scene.store.keys(after: key, limit: 3)
                #expect(page == Array(keys.filter { $0 > key }.prefix(3)))
            }
            for _ in 0..<20 {
                let key = BlobKey(space: keys.randomElement()?.space ?? .shared, digest: .random(), generation: 2)
                let page = try await scene.store.keys(after: key, limit: 100)
                #expect(page == keys.filter { $0 > key })
            }
        },
        clause("Removing and storing between pages neither repeats nor skips another key.") { scene in
            let keys = try await saveMany(in: scene)
            let first = try await scene.store.keys(after: nil, limit: 5)
            let last = try first.last.required()
            try await scene.store.remove([last, keys[0], keys[6]])
            let second = try await scene.store.keys(after: last, limit: 1_000)
            #expect(first == Array(keys[..<5]))
            #expect(second == [keys[5]] + keys[7...])
        },
    ]
}
