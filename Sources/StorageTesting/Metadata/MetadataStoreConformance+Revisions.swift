import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Older revisions, and conditions on the current one.
    static let revisions: [Clause] = [
        clause("Older revisions are kept up to the number asked for; the oldest go first, with their bytes.") { scene in
            let contents = [1, 10, 100, 1_000].map { TestContent(size: $0) }
            let oldest = try await scene.claim(contents[0])
            for content in contents { try await scene.write(content, at: "a", keep: 2) }
            let usage = try await scene.usage()
            let doomed = try await scene.doom()
            #expect(usage == Usage(bytes: 1_000, files: 1, revisionBytes: 110))
            #expect(doomed == [oldest.id])
        },
        clause("Without older revisions an overwrite lets go of the bytes before it.") { scene in
            let content = TestContent()
            let old = try await scene.claim(content)
            try await scene.write(content, at: "a", keep: 0)
            try await scene.write(TestContent(size: 5), at: "a", keep: 0)
            let usage = try await scene.usage()
            let doomed = try await scene.doom()
            #expect(usage == Usage(bytes: 5, files: 1))
            #expect(doomed == [old.id])
        },
        clause("A lower number prunes several revisions at once; else they stay until the next overwrite.") { scene in
            for size in [1, 10, 100] { try await scene.write(TestContent(size: Int64(size)), at: "a", keep: 5) }
            try await scene.write(TestContent(size: 1_000), at: "a", keep: 1)
            let usage = try await scene.usage()
            let doomed = try await scene.doom()
            #expect(usage == Usage(bytes: 1_000, files: 1, revisionBytes: 100))
            #expect(doomed.count == 2)
        },
        clause("A pruned revision's bytes stay while another file has them; else pruning loses a file.") { scene in
            let content = TestContent()
            try await scene.write(content, at: "other")
            try await scene.write(content, at: "a", keep: 0)
            try await scene.write(TestContent(), at: "a", keep: 0)
            let doomed = try await scene.doom()
            let other = try await scene.file("other")
            #expect(doomed.isEmpty)
            #expect(other?.revision?.blob.digest == content.digest)
        },
        clause("A kept revision holds its bytes; else history has names without bytes.") { scene in
            try await scene.write(TestContent(), at: "a", keep: 1)
            try await scene.write(TestContent(), at: "a", keep: 1)
            let doomed = try await scene.doom()
            #expect(doomed.isEmpty)
        },
        clause("If-None-Match: * holds only where no file is.") { scene in
            let condition = Precondition(ifNoneMatch: .any)
            let first = try await scene.write(TestContent(), at: "a", if: condition)
            await expect(.preconditionFailed) { try await scene.write(TestContent(), at: "a", if: condition) }
            let present = try await scene.file("a")
            #expect(present == first.record)
        },
        clause("If-Match holds for the current revision, not for an older one nor where no file is.") { scene in
            let first = try await scene.write(TestContent(), at: "a").record?.revision.required()
            let old = Precondition(ifMatch: .revisions([try first.required().id]))
            let second = try await scene.write(TestContent(), at: "a", if: old).record?.revision.required()
            await expect(.preconditionFailed) { try await scene.write(TestContent(), at: "a", if: old) }
            await expect(.preconditionFailed) { try await scene.write(TestContent(), at: "b", if: old) }
            await expect(.preconditionFailed) {
                try await scene.write(TestContent(), at: "b", if: Precondition(ifMatch: .any))
            }
            let both = Precondition(ifMatch: .revisions([RevisionID(), try second.required().id]))
            let third = try await scene.write(TestContent(), at: "a", if: both)
            #expect(third.record != nil)
        },
        clause("If-None-Match with revisions fails for the current one only.") { scene in
            let revision = try await scene.write(TestContent(), at: "a").record?.revision.required()
            let condition = Precondition(ifNoneMatch: .revisions([try revision.required().id]))
            await expect(.preconditionFailed) { try await scene.write(TestContent(), at: "a", if: condition) }
            try await scene.write(TestContent(), at: "a")
            let result = try await scene.write(TestContent(), at: "a", if: condition)
            #expect(result.record != nil)
        },
        clause("If-Unmodified-Since holds in the second of the current revision, and not before it.") { scene in
            let revision = try await scene.write(TestContent(), at: "a").record?.revision.required()
            let moment = try revision.required().createdAt
            let before = Timestamp(microseconds: moment.microseconds - scene.second)
            await expect(.preconditionFailed) {
                try await scene.write(TestContent(), at: "a", if: Precondition(ifUnmodifiedSince: before))
            }
            let result = try await scene.write(TestContent(), at: "a", if: Precondition(ifUnmodifiedSince: moment))
            #expect(result.record != nil)
        },
        clause("A failed condition leaves no folder behind.") { scene in
            await expect(.preconditionFailed) {
                try await scene.write(TestContent(), at: "new/a", if: Precondition(ifMatch: .any))
            }
            let tree = try await scene.tree()
            #expect(tree.isEmpty)
        },
    ]

    /// Simultaneous changes of one place.
    static let races: [Clause] = [
        clause(
            "Of 20 simultaneous If-None-Match: * exactly one wins; else two clients believe that they made the file."
        ) {
            scene in
            let results = try await simultaneously(20) { _ in
                try await outcome {
                    try await scene.write(TestContent(), at: "f/a", if: Precondition(ifNoneMatch: .any))
                }
            }
            let winners = results.compactMap(\.value)
            let file = try await scene.file("f/a")
            #expect(winners.count == 1)
            #expect(winners.first?.record == file)
            #expect(results.count { $0.code == .preconditionFailed } == 19)
        },
        clause("Of 20 simultaneous If-Match on one revision exactly one wins; else an update is lost.") { scene in
            let first = try await scene.write(TestContent(), at: "a").record?.revision.required()
            let condition = Precondition(ifMatch: .revisions([try first.required().id]))
            let results = try await simultaneously(20) { _ in
                try await outcome { try await scene.write(TestContent(), at: "a", if: condition) }
            }
            #expect(results.count { $0.value != nil } == 1)
            #expect(results.count { $0.code == .preconditionFailed } == 19)
        },
        clause("Of 20 simultaneous deletes one deletes and the others find nothing; else usage is counted down twice.")
        {
            scene in
            try await scene.write(TestContent(), at: "a")
            let results = try await simultaneously(20) { _ in try await outcome { try await scene.delete("a") } }
            let usage = try await scene.usage()
            #expect(results.count { $0.value == .deleted(remaining: 0) } == 1)
            #expect(results.count { $0.code == .notFound } == 19)
            #expect(usage == Usage())
        },
        clause("20 simultaneous overwrites leave one file whose usage is exact.") { scene in
            let results = try await simultaneously(20) { index in
                try await scene.write(TestContent(size: 1 << Int64(index)), at: "a", keep: 100)
            }
            let usage = try await scene.usage()
            #expect(Set(results.compactMap(\.record?.id)).count == 1)
            #expect(usage.bytes + usage.revisionBytes == 1 << 20 - 1)
            #expect(usage.files == 1)
        },
        clause("20 simultaneous files in a new folder share one folder.") { scene in
            let results = try await simultaneously(20) { index in
                try await scene.write(TestContent(), at: "new/deep/\(index)")
            }
            let entries = try await scene.tree()
            let usage = try await scene.usage()
            #expect(results.allSatisfy { $0.record != nil })
            #expect(entries.count == 22)
            #expect(usage == Usage(bytes: 200, files: 20))
        },
        clause("A delete of an empty folder and a put into it do not leave a file without its folder.") { scene in
            for round in 0..<10 {
                try await scene.makeFolder("f\(round)")
                _ = try await simultaneously(2) { index in
                    try await outcome {
                        index == 0
                            ? try await scene.delete("f\(round)")
                            : try await scene.write(TestContent(), at: "f\(round)/a")
                    }
                }
                let (folder, file) = (try await scene.file("f\(round)"), try await scene.file("f\(round)/a"))
                #expect(file == nil || folder != nil)
            }
        },
    ]
}
