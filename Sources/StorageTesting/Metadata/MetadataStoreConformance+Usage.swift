import StorageCore
import Testing

extension MetadataStoreConformance {
    /// What a container holds.
    static let usage: [Clause] = [
        clause("A new container holds nothing and has no limit.") { scene in
            let usage = try await scene.usage()
            #expect(usage == Usage())
        },
        clause("Usage is exact after each sort of change, before and after it is folded.") { scene in
            let changes: [(Usage, () async throws -> Void)] = [
                (Usage(bytes: 1, files: 1), { try await scene.write(TestContent(size: 1), at: "a") }),
                (Usage(bytes: 101, files: 2), { try await scene.write(TestContent(size: 100), at: "f/b") }),
                (
                    Usage(bytes: 110, files: 2, revisionBytes: 1),
                    { try await scene.write(TestContent(size: 10), at: "a") }
                ),
                (Usage(bytes: 110, files: 2, revisionBytes: 1), { try await scene.makeFolder("g/h") }),
                (Usage(bytes: 210, files: 3, revisionBytes: 1), { try await scene.copy("f/b", to: "f/c") }),
                (Usage(bytes: 210, files: 3, revisionBytes: 1), { try await scene.move("f", to: "g/h/f") }),
                (Usage(bytes: 200, files: 2), { try await scene.move("g/h/f/c", to: "a", overwrite: true) }),
                (
                    Usage(bytes: 1_100, files: 2, revisionBytes: 10),
                    {
                        try await scene.write(TestContent(size: 10), at: "g/h/f/b", keep: 0)
                        try await scene.write(TestContent(size: 1_000), at: "g/h/f/b", keep: 1)
                    }
                ),
                (Usage(bytes: 100, files: 1), { _ = try await scene.deleteTree("g", limit: 100) }),
                (Usage(), { try await scene.delete("a") }),
            ]
            for (expected, change) in changes {
                try await change()
                let before = try await scene.usage()
                while try await scene.store.tidy(.foldUsage) {}
                let after = try await scene.usage()
                #expect(before == expected)
                #expect(after == expected)
            }
        },
        clause("Usage is exact after simultaneous uploads and folds.") { scene in
            _ = try await simultaneously(20) { index in
                try await scene.write(TestContent(size: 3), at: "\(index)")
                if index.isMultiple(of: 5) { _ = try await scene.store.tidy(.foldUsage) }
            }
            let usage = try await scene.usage()
            #expect(usage == Usage(bytes: 60, files: 20))
        },
        clause("Equal bytes count for every file; else usage tells what others store.") { scene in
            let content = TestContent()
            let other = try await scene.account()
            try await scene.write(content, at: "a", in: other)
            try await scene.write(content, at: "a")
            try await scene.write(content, at: "b")
            let (mine, theirs) = (try await scene.usage(), try await scene.usage(of: other))
            #expect(mine == Usage(bytes: 20, files: 2))
            #expect(theirs == Usage(bytes: 10, files: 1))
        },
        clause("An unchanged put counts nothing.") { scene in
            let content = TestContent()
            for _ in 0..<3 { try await scene.write(content, at: "a") }
            let usage = try await scene.usage()
            #expect(usage == Usage(bytes: 10, files: 1))
        },
    ]
}
