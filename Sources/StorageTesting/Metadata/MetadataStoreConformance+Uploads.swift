import StorageCore
import Testing

extension MetadataStoreConformance {
    /// What is known of an attempt to store a body.
    static let uploads: [Clause] = [
        clause("The outcome of an upload nobody heard of is unknown; else a lost claim is taken for a success.") {
            scene in
            let outcome = try await scene.store.outcome(of: UploadID())
            #expect(outcome == .unknown)
        },
        clause("The outcome of a claimed upload is open; else a commit is not tried again.") { scene in
            let upload = UploadID()
            _ = try await scene.claim(TestContent(), upload: upload)
            let outcome = try await scene.store.outcome(of: upload)
            #expect(outcome == .open)
        },
        clause("The outcome of an upload that was given up is unknown; else its commit is tried in vain.") { scene in
            let upload = UploadID()
            _ = try await scene.claim(TestContent(), upload: upload)
            try await scene.store.abandon(upload)
            let outcome = try await scene.store.outcome(of: upload)
            #expect(outcome == .unknown)
        },
        clause("The outcome of a committed upload is shown as it is now: the file as it is, or that it is gone.") {
            scene in
            let upload = UploadID()
            try await scene.write(TestContent(), at: "a", upload: upload)
            let now = try await scene.write(TestContent(), at: "a").record.required()
            let overwritten = try await scene.store.outcome(of: upload)
            try await scene.delete("a")
            let deleted = try await scene.store.outcome(of: upload)
            #expect(overwritten == .committed(.created(now)))
            #expect(deleted == .committed(.deleted(remaining: 0)))
        },
        clause("The outcome of a committed upload is what it made; else a lost answer becomes an error.") { scene in
            let upload = UploadID()
            let result = try await scene.write(TestContent(), at: "a", upload: upload)
            let outcome = try await scene.store.outcome(of: upload)
            #expect(outcome == .committed(result))
        },
        clause(
            "An upload goes into the container that it was claimed for; else room is taken in one and filled in another."
        ) {
            scene in
            let other = try await scene.account()
            let (content, upload) = (TestContent(), UploadID())
            let blob = try await scene.claim(content, upload: upload)
            await expect(.notFound) {
                try await scene.store.commit(scene.put(blob.id, at: "a", in: other, upload: upload))
            }
            let stray = try await scene.file("a", in: other)
            #expect(stray == nil)
            let record = try await scene.store.commit(scene.put(blob.id, at: "a", upload: upload)).record
            #expect(record != nil)
            // Committed already: what it made is told to nobody else.
            await expect(.notFound) {
                try await scene.store.commit(scene.put(blob.id, at: "a", in: other, upload: upload))
            }
            let (file, usage) = (try await scene.file("a"), try await scene.usage(of: other))
            #expect(file == record)
            #expect(usage == Usage())
        },
        clause("A refused commit leaves its upload open; else its retry is taken for done.") { scene in
            let upload = UploadID()
            await expect(.preconditionFailed) {
                try await scene.write(TestContent(), at: "a", upload: upload, if: Precondition(ifMatch: .any))
            }
            let outcome = try await scene.store.outcome(of: upload)
            #expect(outcome == .open)
        },
        clause("Committing an upload again returns the same result; else a retry after a lost answer fails.") { scene in
            let upload = UploadID()
            try await scene.write(TestContent(), at: "b")
            for path in ["a", "b"] {
                let upload = path == "a" ? upload : UploadID()
                let blob = try await scene.claim(TestContent(), upload: upload)
                let change = try scene.put(blob.id, at: path, upload: upload)
                let first = try await scene.store.commit(change)
                let second = try await scene.store.commit(change)
                #expect(second == first)
            }
        },
        clause("Committing an upload again has no second effect; else a retry counts and overwrites twice.") { scene in
            let upload = UploadID()
            let content = TestContent()
            let blob = try await scene.claim(content, upload: upload)
            let condition = Precondition(ifNoneMatch: .any)
            let change = try scene.put(blob.id, at: "a", upload: upload, if: condition)
            _ = try await scene.store.commit(change)
            let before = try await scene.file("a")
            _ = try await scene.store.commit(change)
            let after = try await scene.file("a")
            let usage = try await scene.usage()
            #expect(after == before)
            #expect(usage == Usage(bytes: 10, files: 1))
        },
        clause("Committing an upload again after a later overwrite does not undo that; else a retry loses an update.") {
            scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            let change = try scene.put(blob.id, at: "a", upload: upload)
            _ = try await scene.store.commit(change)
            let newer = try await scene.write(TestContent(), at: "a").record
            _ = try await scene.store.commit(change)
            let present = try await scene.file("a")
            #expect(present == newer)
        },
        clause("Committing an upload again after a deletion does not bring the file back.") { scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            let change = try scene.put(blob.id, at: "a", upload: upload)
            _ = try await scene.store.commit(change)
            try await scene.delete("a")
            _ = try? await scene.store.commit(change)
            let file = try await scene.file("a")
            let usage = try await scene.usage()
            #expect(file == nil)
            #expect(usage == Usage())
        },
        clause("Of simultaneous commits of one upload one takes effect; else a request sent twice counts twice.") {
            scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            let change = try scene.put(blob.id, at: "a", upload: upload)
            let results = try await simultaneously(10) { _ in try await scene.store.commit(change) }
            let usage = try await scene.usage()
            #expect(Set(results).count == 1)
            #expect(usage == Usage(bytes: 10, files: 1))
        },
        clause("An upload that was never claimed does not commit; else a revision refers to bytes nobody vouches for.")
        {
            scene in
            let blob = try await scene.claim(TestContent())
            let result = try await scene.store.commit(scene.put(blob.id, at: "a", upload: UploadID()))
            let file = try await scene.file("a")
            #expect(result == .blobLost)
            #expect(file == nil)
        },
        clause("An abandoned upload does not commit; else a request that was answered as failed takes effect.") {
            scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            try await scene.store.abandon(upload)
            let result = try await scene.store.commit(scene.put(blob.id, at: "a", upload: upload))
            let file = try await scene.file("a")
            #expect(result == .blobLost)
            #expect(file == nil)
        },
        clause("A claim revives an upload that was abandoned; else a sweeper that was too early ends it for good.") {
            scene in
            let upload = UploadID()
            let content = TestContent()
            _ = try await scene.claim(content, upload: upload)
            try await scene.store.abandon(upload)
            let blob = try await scene.claim(content, upload: upload)
            let result = try await scene.store.commit(scene.put(blob.id, at: "a", upload: upload))
            #expect(result.record?.revision?.blob == blob.key)
        },
        clause("Abandoning a committed upload changes nothing; else a late clean-up loses a file.") { scene in
            let upload = UploadID()
            let result = try await scene.write(TestContent(), at: "a", upload: upload)
            try await scene.store.abandon(upload)
            let outcome = try await scene.store.outcome(of: upload)
            let file = try await scene.file("a")
            #expect(outcome == .committed(result))
            #expect(file == result.record)
        },
        clause("Abandoning an upload nobody heard of, or twice, is fine.") { scene in
            let upload = UploadID()
            try await scene.store.abandon(upload)
            _ = try await scene.claim(TestContent(), upload: upload)
            try await scene.store.abandon(upload)
            try await scene.store.abandon(upload)
            let isRenewed = try await scene.store.renew(upload, lease: scene.hour)
            #expect(!isRenewed)
        },
        clause("Abandoning an upload leaves the others of the same content alone.") { scene in
            let (mine, others) = (UploadID(), UploadID())
            let content = TestContent()
            _ = try await scene.claim(content, upload: mine)
            let blob = try await scene.claim(content, upload: others)
            try await scene.store.abandon(mine)
            let result = try await scene.store.commit(scene.put(blob.id, at: "a", upload: others))
            #expect(result.record != nil)
        },
        clause("An upload may claim another life after it lost its blob, and commit that.") { scene in
            let upload = UploadID()
            let content = TestContent()
            let first = try await scene.claim(content, upload: upload, lease: -scene.second)
            try await scene.doom()
            let lost = try await scene.store.commit(scene.put(first.id, at: "a", upload: upload))
            let second = try await scene.claim(content, upload: upload)
            let result = try await scene.store.commit(scene.put(second.id, at: "a", upload: upload))
            #expect(lost == .blobLost)
            #expect(result.record?.revision?.blob == second.key)
        },
        clause("Sweeping forgets uploads that were given up or left alone, and committed ones that are old.") { scene in
            let (given, left, committed) = (UploadID(), UploadID(), UploadID())
            for upload in [given, left] { _ = try await scene.claim(TestContent(), upload: upload) }
            try await scene.write(TestContent(), at: "a", upload: committed)
            try await scene.store.abandon(given)
            while try await scene.store.tidy(
                .sweepUploads(silent: -scene.second, abandoned: -scene.second, kept: -scene.second))
            {}
            for upload in [given, left, committed] {
                let outcome = try await scene.store.outcome(of: upload)
                #expect(outcome == .unknown)
            }
            let file = try await scene.file("a")
            #expect(file != nil)
        },
        clause("Sweeping keeps uploads that are alive and committed ones that are young.") { scene in
            let (open, committed) = (UploadID(), UploadID())
            _ = try await scene.claim(TestContent(), upload: open)
            let result = try await scene.write(TestContent(), at: "a", upload: committed)
            while try await scene.store.tidy(.sweepUploads(silent: scene.hour, abandoned: scene.hour, kept: scene.hour))
            {}
            let ofOpen = try await scene.store.outcome(of: open)
            let ofCommitted = try await scene.store.outcome(of: committed)
            #expect(ofOpen == .open)
            #expect(ofCommitted == .committed(result))
        },
    ]
}
