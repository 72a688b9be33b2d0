import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Limits of containers, and what gives way under them.
    static let limits: [Clause] = [
        clause("A limit set for a container is shown with it, and taken back; else nobody knows what holds.") { scene in
            let own = ContainerLimits(bytes: 100, files: 3)
            let account = try await scene.limit(own)
            let usage = try await scene.usage()
            let free = try await scene.limit(.none)
            #expect(account?.container.limits == own)
            #expect(usage.limitBytes == 100)
            #expect(usage.limitFiles == 3)
            #expect(free?.container.limits == ContainerLimits.none)
        },
        clause("A put beyond the limit is refused and changes nothing; up to the limit it is not.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            try await scene.write(TestContent(size: 60), at: "a")
            await expect(.quotaExceeded) { try await scene.write(TestContent(size: 41), at: "b/c") }
            let (refused, folder) = (try await scene.file("b/c"), try await scene.file("b"))
            try await scene.write(TestContent(size: 40), at: "b/c")
            let usage = try await scene.usage()
            #expect(refused == nil)
            #expect(folder == nil)
            #expect(usage.bytes == 100)
        },
        clause("The limit of files counts files, not folders and not overwrites.") { scene in
            _ = try await scene.limit(ContainerLimits(files: 2))
            try await scene.write(at: ["f/a", "f/g/b"])
            try await scene.write(TestContent(), at: "f/a")
            await expect(.quotaExceeded) { try await scene.write(TestContent(), at: "c") }
            await expect(.quotaExceeded) { try await scene.copy("f/a", to: "c") }
            try await scene.move("f/a", to: "c")
            let usage = try await scene.usage()
            #expect(usage.files == 2)
        },
        clause("The limit that a change brings along holds where the container has none; its own comes first.") {
            scene in
            let given = ContainerLimits(bytes: 10)
            await expect(.quotaExceeded) { try await scene.write(TestContent(size: 11), at: "a", limits: given) }
            try await scene.write(TestContent(size: 10), at: "a", limits: given)
            _ = try await scene.limit(ContainerLimits(bytes: 1_000))
            try await scene.write(TestContent(size: 990), at: "b", limits: given)
            _ = try await scene.limit(ContainerLimits(bytes: ContainerLimits.unlimited))
            try await scene.write(TestContent(size: 5_000), at: "c", limits: given)
            let usage = try await scene.usage()
            #expect(usage.bytes == 6_000)
        },
        clause("A copy counts in full, a move nothing.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            try await scene.write(TestContent(size: 60), at: "a")
            await expect(.quotaExceeded) { try await scene.copy("a", to: "b") }
            try await scene.move("a", to: "b")
            let usage = try await scene.usage()
            #expect(usage.bytes == 60)
        },
        clause("The same bytes, type and name again are no growth, even at the limit.") { scene in
            let content = TestContent(size: 100)
            try await scene.write(content, at: "a")
            _ = try await scene.limit(ContainerLimits(bytes: 50, files: 0))
            let again = try await scene.write(content, at: "a").record
            #expect(again?.revision?.size == 100)
        },
        clause("A limit below what a container holds keeps it from growing, and lets it shrink.") { scene in
            try await scene.write(TestContent(size: 60), at: "a")
            try await scene.write(TestContent(size: 60), at: "b")
            _ = try await scene.limit(ContainerLimits(bytes: 50))
            await expect(.quotaExceeded) { try await scene.write(TestContent(size: 61), at: "a") }
            try await scene.write(TestContent(size: 30), at: "a")
            try await scene.delete("b")
            try await scene.write(TestContent(size: 20), at: "b")
            let usage = try await scene.usage()
            #expect(usage.bytes == 50)
        },
        clause("What was counted before a limit came counts under it, folded or not.") { scene in
            for name in ["a", "b", "c"] { try await scene.write(TestContent(size: 30), at: name) }
            await expect(.quotaExceeded) {
                try await scene.write(TestContent(size: 20), at: "d", limits: ContainerLimits(bytes: 100))
            }
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            await expect(.quotaExceeded) { try await scene.write(TestContent(size: 20), at: "d") }
            while try await scene.store.tidy(.foldUsage) {}
            try await scene.write(TestContent(size: 10), at: "d")
            let usage = try await scene.usage()
            #expect(usage.bytes == 100)
        },
        clause("Older revisions give way to what is new, the oldest of all first.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            for name in ["a", "b", "a"] {
                try await scene.write(TestContent(size: 25), at: name)
                try await scene.tick()
            }
            try await scene.write(TestContent(size: 25), at: "b")
            let full = try await scene.usage()
            #expect((full.bytes, full.revisionBytes) == (50, 50))
            try await scene.write(TestContent(size: 20), at: "c")
            let first = try await scene.usage()
            #expect((first.bytes, first.revisionBytes) == (70, 25))
            try await scene.write(TestContent(size: 30), at: "d")
            let last = try await scene.usage()
            #expect((last.bytes, last.revisionBytes) == (100, 0))
        },
        clause(
            "The revision that a put itself makes an older one gives way, too; else a full container takes no new version."
        ) {
            scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let first = try await scene.write(TestContent(size: 90), at: "a").record
            let second = try await scene.write(TestContent(size: 95), at: "a").record
            let usage = try await scene.usage()
            #expect(first?.id == second?.id)
            #expect((usage.bytes, usage.revisionBytes) == (95, 0))
            try await scene.tick()
            let doomed = try await scene.doom()
            #expect(doomed.count == 1)
        },
        clause("Of simultaneous puts that do not all fit, exactly as many are taken as fit.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let results = try await simultaneously(10) { index in
                do {
                    try await scene.write(TestContent(size: 30), at: "\(index)")
                    return true
                } catch let error as StorageError where error.code == .quotaExceeded {
                    return false
                }
            }
            let usage = try await scene.usage()
            #expect(results.count { $0 } == 3)
            #expect(usage.bytes == 90)
        },
    ]

    /// Room set aside for bodies that are on their way.
    static let reservations: [Clause] = [
        clause("Room set aside is taken from everybody else, and from the upload itself not.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let upload = UploadID()
            let granted = try await scene.reserve(70, for: upload)
            await expect(.quotaExceeded) { try await scene.write(TestContent(size: 40), at: "b") }
            await expect(.quotaExceeded) { try await scene.reserve(40) }
            try await scene.write(TestContent(size: 70), at: "a", upload: upload)
            try await scene.write(TestContent(size: 30), at: "b")
            #expect(granted == 70)
        },
        clause("Room is granted up to what there is, but never less than needed.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let upload = UploadID()
            let granted = try await scene.reserve(10, wanted: 500, for: upload)
            let again = try await scene.reserve(100, wanted: 300, for: upload)
            #expect(granted == 100)
            #expect(again == 100)
            await expect(.quotaExceeded) { try await scene.reserve(101, for: upload) }
        },
        clause("Without a limit everything is granted, and the default that is brought along is a limit.") { scene in
            let granted = try await scene.reserve(10, wanted: 500)
            let limited = try await scene.reserve(10, wanted: 500, limits: ContainerLimits(bytes: 40))
            #expect(granted == 500)
            #expect(limited == 40)
        },
        clause("Older revisions count as room, the file that another upload is to make does not.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100, files: 2))
            try await scene.write(TestContent(size: 40), at: "a")
            try await scene.write(TestContent(size: 40), at: "a")
            let upload = UploadID()
            let granted = try await scene.reserve(60, for: upload)
            try await scene.write(TestContent(size: 60), at: "b", upload: upload)
            await expect(.quotaExceeded) { try await scene.reserve(0) }
            let replacing = try await scene.reserve(0, addsFile: false)
            #expect(granted == 60)
            #expect(replacing == 0)
        },
        clause("Room comes back when an upload is given up, and when it falls silent.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let upload = UploadID()
            _ = try await scene.reserve(100, for: upload)
            try await scene.store.abandon(upload)
            let silent = UploadID()
            _ = try await scene.reserve(100, for: silent)
            try await scene.sweepUploads(silent: scene.hour)
            await expect(.quotaExceeded) { try await scene.reserve(1) }
            try await scene.sweepUploads(silent: -scene.second)
            let isAlive = try await scene.store.renew(silent, lease: scene.hour)
            _ = try await scene.reserve(100)
            #expect(!isAlive)
        },
        clause("A sign of life is taken of an upload that has no blob yet.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let upload = UploadID()
            _ = try await scene.reserve(1, for: upload)
            let isAlive = try await scene.store.renew(upload, lease: scene.hour)
            #expect(isAlive)
        },
        clause("What an upload takes counts once: as used, not as set aside.") { scene in
            _ = try await scene.limit(ContainerLimits(bytes: 100))
            let upload = UploadID()
            _ = try await scene.reserve(50, wanted: 90, for: upload)
            try await scene.write(TestContent(size: 50), at: "a", upload: upload)
            let rest = try await scene.reserve(1, wanted: 90)
            let container = try await scene.inspection()
            #expect(rest == 50)
            #expect(container?.isExact == true)
        },
    ]
}
