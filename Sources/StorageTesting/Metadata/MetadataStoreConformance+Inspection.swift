import StorageCore
import Testing

extension MetadataStoreConformance {
    /// What is compared with the blob store and with itself.
    static let inspections: [Clause] = [
        clause("Every blob is inspected once, in order, with its state and whether it is referred to.") { scene in
            try await scene.write(at: ["a", "b", "c"])
            let pending = try await scene.claim(TestContent())
            try await scene.delete("b")
            var found: [BlobInspection] = []
            while true {
                let page = try await scene.store.inspectBlobs(.page(after: found.last?.blob.id, limit: 2))
                #expect(page.count <= 2)
                guard !page.isEmpty else { break }
                found += page
            }
            let ids = found.map(\.blob.id)
            #expect(ids == ids.sorted())
            #expect(Set(ids).count == ids.count)
            #expect(found.count { $0.blob.state == .live && $0.isReferenced && !$0.isReleased } == 2)
            #expect(found.count { $0.blob.state == .live && !$0.isReferenced && $0.isReleased } == 1)
            #expect(found.filter { $0.blob.state == .pending }.map(\.blob.id) == [pending.id])
        },
        clause("Counts of containers are exact after each sort of change.") { scene in
            try await scene.write(at: ["a", "f/b", "f/c"])
            try await scene.write(TestContent(size: 7), at: "a")
            try await scene.copy("a", to: "d")
            try await scene.delete("f/b")
            let container = try await scene.inspection().required()
            #expect(container.isExact)
            #expect(container.counted.files == 3)
            #expect(container.counted.bytes == 24)
            #expect(container.counted.revisionBytes == 10)
        },
        clause("Blobs are found by their keys: those of the very generation and space, in every state, and no others.")
        {
            scene in
            let (live, gone) = (TestContent(), TestContent())
            try await scene.write(live, at: "a")
            try await scene.write(gone, at: "b")
            let pending = try await scene.claim(TestContent())
            try await scene.delete("b")
            try await scene.store.settle(.gone(Array(try await scene.doom())))
            let again = try await scene.claim(gone)
            let keys = [
                BlobKey(space: .shared, digest: live.digest), BlobKey(space: .shared, digest: gone.digest), again.key,
                pending.key,
            ]
            let absent = [
                BlobKey(space: Space(id: ContainerID()), digest: live.digest),
                BlobKey(space: .shared, digest: live.digest, generation: again.key.generation),
                BlobKey(space: .shared, digest: .random()),
            ]
            let found = try await scene.store.inspectBlobs(.keys(absent + keys + keys))
            #expect(found.count == keys.count)
            #expect(Set(found.map(\.blob.key)) == Set(keys))
            #expect(Set(found.map(\.blob.state)) == [.live, .gone, .pending])
            let listed = try await scene.store.inspectBlobs(.page(after: nil, limit: 10))
            #expect(Set(found.map(\.blob)) == Set(listed.map(\.blob)))
            let (none, unknown) = (
                try await scene.store.inspectBlobs(.keys([])), try await scene.store.inspectBlobs(.keys(absent))
            )
            #expect(none.isEmpty)
            #expect(unknown.isEmpty)
        },
        clause("As many keys as may be are looked up at once, and more are refused.") { scene in
            var keys: [BlobKey] = []
            for _ in 0..<BlobSelection.keyLimit { keys.append(try await scene.claim(TestContent()).key) }
            let found = try await scene.store.inspectBlobs(.keys(keys))
            #expect(Set(found.map(\.blob.key)) == Set(keys))
            await #expect(throws: StorageError.self) {
                _ = try await scene.store.inspectBlobs(.keys(keys + [BlobKey(space: .shared, digest: .random())]))
            }
        },
        clause("Ages are those of the store's clock: of a claim that ended or still holds, and of a state.") { scene in
            let ended = try await scene.claim(TestContent(), lease: -scene.hour)
            let held = try await scene.claim(TestContent(), lease: scene.hour)
            try await scene.write(TestContent(), at: "a")
            func inspection(of key: BlobKey) async throws -> BlobInspection {
                try await scene.store.inspectBlobs(.keys([key])).first.required()
            }
            let (old, young) = (try await inspection(of: ended.key), try await inspection(of: held.key))
            let age = try old.claimAge.required()
            #expect(age >= scene.hour && age < 2 * scene.hour)
            let left = try young.claimAge.required()
            #expect(left < 0 && left >= -scene.hour)
            for found in try await scene.store.inspectBlobs(.page(after: nil, limit: 10)) {
                #expect((found.claimAge == nil) == (found.blob.state != .pending))
                #expect(found.stateAge >= 0 && found.stateAge < scene.hour)
            }
        },
        clause(
            "A doomed blob that is handed out again is doomed for as long as before; else nobody sees that it is stuck."
        ) {
            scene in
            let blob = try await scene.claim(TestContent(), lease: -scene.second)
            try await scene.doom()
            let doomedBy = try await scene.store.account(.id(scene.owner.id)).required().readAt
            var age: Int64 = 0
            while age < 20_000 {
                let now = try await scene.store.account(.id(scene.owner.id)).required().readAt
                age = now.microseconds - doomedBy.microseconds
            }
            let again = try await scene.store.doom(grace: 0, retry: -scene.second, limit: 10)
            let found = try await scene.store.inspectBlobs(.keys([blob.key])).first.required()
            #expect(again.map(\.id) == [blob.id])
            #expect(found.blob.state == .doomed)
            #expect(found.stateAge >= age)
            #expect(found.claimAge == nil)
        },
        clause("The silence of a container is that of its most silent upload that is not committed.") { scene in
            let quiet = try await scene.inspection().required().longestSilence
            #expect(quiet == nil)
            try await scene.write(TestContent(), at: "a")
            let committed = try await scene.inspection().required().longestSilence
            #expect(committed == nil)
            let upload = UploadID()
            _ = try await scene.claim(TestContent(), upload: upload)
            let before = try await scene.store.account(.id(scene.owner.id)).required().readAt
            try await scene.tick()
            _ = try await scene.claim(TestContent())
            let after = try await scene.store.account(.id(scene.owner.id)).required().readAt
            let silence = try await scene.inspection().required().longestSilence.required()
            #expect(silence >= after.microseconds - before.microseconds)
            #expect(silence < scene.hour)
        },
    ]
}

extension MetadataScene {
    /// What is said and counted of the owner's container; nil when it is gone.
    func inspection() async throws -> ContainerInspection? {
        var last: ContainerID?
        while true {
            let page = try await store.inspectContainers(after: last, limit: 2)
            if let found = page.first(where: { $0.id == owner.container.id }) { return found }
            guard let next = page.last?.id else { return nil }
            last = next
        }
    }
}
