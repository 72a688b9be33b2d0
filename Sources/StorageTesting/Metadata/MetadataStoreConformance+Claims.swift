import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Who may write which key.
    static let claims: [Clause] = [
        clause("The first claim of a content gets generation 0; else the documented layout does not hold.") { scene in
            let content = TestContent()
            let blob = try await scene.claim(content)
            #expect(blob.key == BlobKey(space: .shared, digest: content.digest))
            #expect(!blob.isLive)
        },
        clause("A pending content is granted again, but never as live; else bytes that nobody wrote are referred to.") {
            scene in
            let content = TestContent()
            let first = try await scene.claim(content)
            let second = try await scene.claim(content)
            #expect(second == first)
            #expect(!second.isLive)
        },
        clause("A committed content is granted as live, under the same key; else equal bytes are stored twice.") {
            scene in
            let content = TestContent()
            let first = try await scene.claim(content)
            try await scene.write(content, at: "a")
            let second = try await scene.claim(content)
            #expect(second.isLive)
            #expect(second.id == first.id)
            #expect(second.key == first.key)
        },
        clause("Spaces do not share lives; else one container's data lies in another's.") { scene in
            let content = TestContent()
            let other = try await scene.account(ownSpace: true)
            try await scene.write(content, at: "a")
            let blob = try await scene.claim(content, for: other)
            #expect(!blob.isLive)
            #expect(blob.key == BlobKey(space: other.container.space, digest: content.digest))
        },
        clause("20 simultaneous claims of a content are granted one blob; else its bytes have two current keys.") {
            scene in
            let content = TestContent()
            let blobs = try await simultaneously(20) { _ in try await scene.claim(content) }
            #expect(Set(blobs.map(\.id)).count == 1)
            #expect(blobs.allSatisfy { $0.key.generation == 0 })
        },
        clause("A doomed content gets a new generation; else a late deletion takes acknowledged bytes.") { scene in
            let content = TestContent()
            let dead = try await scene.doomed(content)
            let blob = try await scene.claim(content)
            #expect(blob.id != dead)
            #expect(blob.key.generation > 0)
            #expect(!blob.isLive)
        },
        clause("A content that is gone gets a new generation; else a late deletion takes acknowledged bytes.") {
            scene in
            let content = TestContent()
            try await scene.store.settle(.gone([try await scene.doomed(content)]))
            let blob = try await scene.claim(content)
            #expect(blob.key.generation > 0)
        },
        clause("A corrupt content gets a new generation; else wrong bytes are repaired in place.") { scene in
            let content = TestContent()
            let first = try await scene.claim(content)
            try await scene.write(content, at: "a")
            try await scene.store.settle(.corrupt(first.key))
            let second = try await scene.claim(content)
            #expect(second.id != first.id)
            #expect(second.key.generation > 0)
            #expect(!second.isLive)
        },
        clause(
            "A pending content found wrong gets a new generation; else a short file in the store blocks it for ever."
        ) {
            scene in
            let content = TestContent()
            let first = try await scene.claim(content)
            try await scene.store.settle(.corrupt(first.key))
            let second = try await scene.claim(content)
            #expect(second.key.generation > 0)
        },
        clause("Every further life has a generation of its own; else two lives share a key.") { scene in
            let content = TestContent()
            var generations: [Int64] = []
            for _ in 0..<5 {
                let blob = try await scene.claim(content)
                generations.append(blob.key.generation)
                let dead = try await scene.doomed(content)
                #expect(dead == blob.id)
                try await scene.store.settle(.gone([dead]))
            }
            #expect(generations.first == 0)
            #expect(Set(generations).count == 5)
        },
        clause("Generation 0 stays used after tombstones were swept; else a dead key is written again.") { scene in
            let content = TestContent()
            for _ in 0..<2 { try await scene.store.settle(.gone([try await scene.doomed(content)])) }
            while try await scene.store.tidy(.sweepTombstones(age: -scene.second)) {}
            let blob = try await scene.claim(content)
            #expect(blob.key.generation > 0)
        },
        clause("A claim whose lease ended is doomed; else abandoned bytes stay for ever.") { scene in
            let blob = try await scene.claim(TestContent(), lease: -scene.second)
            let doomed = try await scene.doom()
            #expect(doomed == [blob.id])
        },
        clause("A claim whose lease holds is not doomed; else bytes are deleted while they are written.") { scene in
            try await _ = scene.claim(TestContent(), lease: scene.hour)
            let doomed = try await scene.doom()
            #expect(doomed.isEmpty)
        },
        clause("A second claim prolongs the first; else the slower of two uploads loses its bytes.") { scene in
            let content = TestContent()
            _ = try await scene.claim(content, lease: -scene.second)
            _ = try await scene.claim(content, lease: scene.hour)
            let doomed = try await scene.doom()
            #expect(doomed.isEmpty)
        },
        clause("A shorter second claim does not cut the first; else the slower of two uploads loses its bytes.") {
            scene in
            let content = TestContent()
            _ = try await scene.claim(content, lease: scene.hour)
            _ = try await scene.claim(content, lease: -scene.second)
            let doomed = try await scene.doom()
            #expect(doomed.isEmpty)
        },
        clause("Renewing prolongs a claim; else a long upload loses its bytes.") { scene in
            let upload = UploadID()
            _ = try await scene.claim(TestContent(), upload: upload, lease: -scene.second)
            let isRenewed = try await scene.store.renew(upload, lease: scene.hour)
            let doomed = try await scene.doom()
            #expect(isRenewed)
            #expect(doomed.isEmpty)
        },
        clause("Renewing for a shorter time does not cut a claim; else the slower of two uploads loses its bytes.") {
            scene in
            let upload = UploadID()
            _ = try await scene.claim(TestContent(), upload: upload, lease: scene.hour)
            let isRenewed = try await scene.store.renew(upload, lease: -scene.second)
            let doomed = try await scene.doom()
            #expect(isRenewed)
            #expect(doomed.isEmpty)
        },
        clause("A doomed claim is not renewed; else an upload writes a key whose deletion is authorised.") { scene in
            let upload = UploadID()
            _ = try await scene.claim(TestContent(), upload: upload, lease: -scene.second)
            try await scene.doom()
            let isRenewed = try await scene.store.renew(upload, lease: scene.hour)
            #expect(!isRenewed)
        },
        clause("A corrupt claim is not renewed; else an upload repairs a key in place.") { scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            try await scene.store.settle(.corrupt(blob.key))
            let isRenewed = try await scene.store.renew(upload, lease: scene.hour)
            #expect(!isRenewed)
        },
        clause("An unknown upload is not renewed; else a swept upload believes that its claim holds.") { scene in
            let isRenewed = try await scene.store.renew(UploadID(), lease: scene.hour)
            #expect(!isRenewed)
        },
    ]
}
