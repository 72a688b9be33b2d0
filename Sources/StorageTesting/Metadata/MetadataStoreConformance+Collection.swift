import StorageCore
import Testing

extension MetadataStoreConformance {
    /// What may be deleted, and when.
    static let collection: [Clause] = [
        clause("Released bytes are doomed with their key and size, so that the collector finds them.") { scene in
            let content = TestContent(size: 77)
            let blob = try await scene.claim(content)
            try await scene.write(content, at: "a")
            try await scene.delete("a")
            let doomed = try await scene.store.doom(grace: -scene.second, retry: scene.hour, limit: 10)
            #expect(doomed == [BlobRecord(id: blob.id, key: blob.key, size: 77, state: .doomed)])
        },
        clause("Bytes released within the grace period are not doomed; else readers lose what they read.") { scene in
            try await scene.write(TestContent(), at: "a")
            try await scene.delete("a")
            let doomed = try await scene.store.doom(grace: scene.hour, retry: scene.hour, limit: 10)
            #expect(doomed.isEmpty)
        },
        clause(
            "Bytes that a file refers to are not doomed, although they were released; else acknowledged data is lost."
        ) {
            scene in
            let content = TestContent()
            try await scene.write(content, at: "a")
            try await scene.write(content, at: "b")
            try await scene.delete("a")
            for _ in 0..<2 {
                let doomed = try await scene.doom()
                #expect(doomed.isEmpty)
            }
            try await scene.delete("b")
            let doomed = try await scene.doom()
            #expect(doomed.count == 1)
        },
        clause("Bytes that are referred to again are not doomed.") { scene in
            let content = TestContent()
            try await scene.write(content, at: "a")
            try await scene.delete("a")
            try await scene.write(content, at: "b")
            let doomed = try await scene.doom()
            #expect(doomed.isEmpty)
        },
        clause("A claim whose lease ended may still commit before it is doomed, and is then kept.") { scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload, lease: -scene.second)
            let result = try await scene.store.commit(scene.put(blob.id, at: "a", upload: upload))
            let doomed = try await scene.doom()
            #expect(result.record != nil)
            #expect(doomed.isEmpty)
        },
        clause("A pass dooms at most as many as it was asked for, and the next goes on.") { scene in
            for _ in 0..<5 { _ = try await scene.claim(TestContent(), lease: -scene.second) }
            var doomed: Set<BlobID> = []
            for expected in [2, 2, 1, 0] {
                let pass = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 2)
                #expect(pass.count == expected)
                doomed.formUnion(pass.map(\.id))
            }
            #expect(doomed.count == 5)
        },
        clause("Released blobs that are still used do not hide those behind them; else a pass ends before its work.") {
            scene in
            for index in 0..<6 {
                let content = TestContent()
                try await scene.write(content, at: "used/\(index)")
                try await scene.write(content, at: "gone/\(index)")
                try await scene.delete("gone/\(index)")
            }
            try await scene.write(TestContent(), at: "last")
            try await scene.delete("last")
            let doomed = try await scene.store.doom(grace: -scene.second, retry: scene.hour, limit: 2)
            #expect(doomed.count == 1)
        },
        clause("A deletion that nobody reported is handed out again after a while, and not before.") { scene in
            let blob = try await scene.claim(TestContent(), lease: -scene.second)
            _ = try await scene.doom()
            let soon = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 10)
            let later = try await scene.store.doom(grace: 0, retry: -scene.second, limit: 10)
            #expect(soon.isEmpty)
            #expect(later.map(\.id) == [blob.id])
        },
        clause("A reported deletion is not handed out again; reporting it twice is fine.") { scene in
            let blob = try await scene.claim(TestContent(), lease: -scene.second)
            try await scene.doom()
            for _ in 0..<2 { try await scene.store.settle(.gone([blob.id])) }
            let doomed = try await scene.store.doom(grace: -scene.second, retry: -scene.second, limit: 10)
            #expect(doomed.isEmpty)
        },
        clause("Only doomed blobs go; else a confused collector takes living bytes.") { scene in
            let content = TestContent()
            let live = try await scene.claim(content)
            let pending = try await scene.claim(TestContent())
            let record = try await scene.write(content, at: "a").record
            try await scene.store.settle(.gone([live.id, pending.id, BlobID()]))
            let (again, file) = (try await scene.claim(content), try await scene.file("a"))
            #expect(again.id == live.id)
            #expect(again.isLive)
            #expect(file == record)
        },
        clause("Settling many, none, or unknown blobs is fine.") { scene in
            var blobs: [BlobID] = []
            for _ in 0..<20 { blobs.append(try await scene.claim(TestContent(), lease: -scene.second).id) }
            try await scene.doom()
            try await scene.store.settle(.gone([]))
            try await scene.store.settle(.gone(blobs + [BlobID()]))
            try await scene.store.settle(.corrupt(BlobKey(space: .shared, digest: .zero)))
            let doomed = try await scene.store.doom(grace: 0, retry: -scene.second, limit: 100)
            #expect(doomed.isEmpty)
        },
        clause("A doomed blob does not turn corrupt: its deletion is still to be done.") { scene in
            let blob = try await scene.claim(TestContent(), lease: -scene.second)
            try await scene.doom()
            try await scene.store.settle(.corrupt(blob.key))
            let doomed = try await scene.store.doom(grace: 0, retry: -scene.second, limit: 10)
            #expect(doomed.map(\.id) == [blob.id])
        },
        clause("A key that was written after its deletion is deleted again, at once; else its bytes stay for ever.") {
            scene in
            let blob = try await scene.claim(TestContent(), lease: -scene.second)
            try await scene.doom()
            try await scene.store.settle(.gone([blob.id]))
            try await scene.store.settle(.writtenLate(blob.key))
            let due = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 10)
            #expect(due.map(\.id) == [blob.id])
            #expect(due.map(\.key) == [blob.key])
            try await scene.store.settle(.gone([blob.id]))
            let rest = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 10)
            #expect(rest.isEmpty)
        },
        clause("A key that was written while it is deleted is deleted again, once the deletion under way was reported.")
        {
            scene in
            let content = TestContent()
            let key = try await scene.claim(content).key
            let id = try await scene.doomed(content)
            try await scene.store.settle(.writtenLate(key))
            let soon = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 10)
            #expect(soon.isEmpty)
            try await scene.store.settle(.gone([id]))
            let due = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 10)
            #expect(due.map(\.id) == [id])
            try await scene.store.settle(.gone([id]))
            let rest = try await scene.store.doom(grace: 0, retry: -scene.second, limit: 10)
            #expect(rest.isEmpty)
        },
        clause("A late write of a blob that may be written changes nothing, nor one of a blob that is not known.") {
            scene in
            let content = TestContent()
            let pending = try await scene.claim(TestContent())
            let live = try await scene.claim(content)
            try await scene.write(content, at: "a")
            for key in [pending.key, live.key, BlobKey(space: .shared, digest: .random())] {
                try await scene.store.settle(.writtenLate(key))
            }
            let found = try await scene.store.inspectBlobs(.keys([pending.key, live.key]))
            #expect(Set(found.map(\.blob.state)) == [.pending, .live])
            #expect(!found.contains { $0.isReleased })
        },
        clause("Simultaneous collectors share the work: each blob is doomed once.") { scene in
            for _ in 0..<30 { _ = try await scene.claim(TestContent(), lease: -scene.second) }
            let passes = try await simultaneously(5) { _ in
                try await scene.store.doom(grace: 0, retry: scene.hour, limit: 30).map(\.id)
            }
            let rest = try await scene.store.doom(grace: 0, retry: scene.hour, limit: 30).map(\.id)
            let all = passes.flatMap { $0 } + rest
            #expect(all.count == 30)
            #expect(Set(all).count == 30)
        },
        clause("Of a commit and a collection at once, either the bytes stay or the commit says that they are lost.") {
            scene in
            for round in 0..<25 {
                let content = TestContent()
                try await scene.write(content, at: "old")
                try await scene.delete("old")
                let upload = UploadID()
                let blob = try await scene.claim(content, upload: upload)
                let change = try scene.put(blob.id, at: "\(round)", upload: upload)
                async let collection = scene.doom()
                let result = try await scene.store.commit(change)
                let doomed = try await collection
                #expect((result == .blobLost) == doomed.contains(blob.id))
            }
        },
    ]

    /// Settings, records of acts, housekeeping with nothing to do.
    static let upkeep: [Clause] = [
        clause("A setting has the first value that anybody gave it.") { scene in
            let unset = try await scene.store.setting("conformance.first", default: nil)
            let first = try await scene.store.setting("conformance.first", default: "one")
            let second = try await scene.store.setting("conformance.first", default: "two")
            let read = try await scene.store.setting("conformance.first", default: nil)
            let other = try await scene.store.setting("conformance.other", default: nil)
            #expect(unset == nil)
            #expect(first == "one")
            #expect(second == "one")
            #expect(read == "one")
            #expect(other == nil)
        },
        clause("Simultaneous first values of a setting agree; else two nodes believe in two stores.") { scene in
            let values = try await simultaneously(20) { index in
                try await scene.store.setting("conformance.first", default: "\(index)")
            }
            #expect(Set(values).count == 1)
        },
        clause("Acts are recorded, by somebody or nobody.") { scene in
            try await scene.store.audit(
                AuditEntry(account: scene.owner.id, act: "sign_in", subject: "session", address: "192.0.2.1"))
            try await scene.store.audit(AuditEntry(account: nil, act: "sign_in_refused"))
        },
        clause("A store that is there answers a ping.") { scene in
            try await scene.store.ping()
        },
        clause("Housekeeping with nothing to do says so and harms nothing.") { scene in
            let upload = UploadID()
            let result = try await scene.write(TestContent(), at: "a", upload: upload)
            for chore in [
                Chore.foldUsage, .sweepUploads(silent: scene.hour, abandoned: scene.hour, kept: scene.hour),
                .sweepCredentials,
                .sweepTombstones(age: scene.hour), .backfill,
            ] {
                var rounds = 0
                while try await scene.store.tidy(chore), rounds < 10 { rounds += 1 }
                #expect(rounds < 10)
            }
            let (file, usage) = (try await scene.file("a"), try await scene.usage())
            #expect(file == result.record)
            #expect(usage == Usage(bytes: 10, files: 1))
        },
    ]
}
