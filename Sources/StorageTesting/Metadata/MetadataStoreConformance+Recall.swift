import StorageCore
import Synchronization
import Testing

extension MetadataStoreConformance {
    /// What a store remembers.
    static let recall: [Clause] = [
        clause("What is remembered is what would be found; else a change that was acknowledged is not seen.") { scene in
            for round in 0..<20 {
                let written = try await scene.write(TestContent(), at: "a").record.required()
                try checkRecall(of: written, in: scene)
                // Twice: the first read is what may be remembered.
                for _ in 0..<2 {
                    let found = try await scene.file("a")
                    #expect(found == written)
                }
                try checkRecall(of: written, in: scene)
                guard round.isMultiple(of: 5) else { continue }
                try await scene.delete("a")
                let (gone, remembered) = (
                    try await scene.file("a"), scene.store.recall(try scene.selector("a"))
                )
                #expect(gone == nil)
                #expect(remembered == nil)
            }
        },
        clause("A move takes the old path out of memory too.") { scene in
            let record = try await scene.write(TestContent(), at: "a").record.required()
            _ = try await scene.file("a")
            try await scene.move("a", to: "b")
            let (old, moved) = (scene.store.recall(try scene.selector("a")), try await scene.file("b"))
            #expect(old == nil)
            #expect(moved?.id == record.id)
        },
        clause("Readers beside a writer never see less than was acknowledged before they asked.") { scene in
            let history = History()
            history.note(try await scene.write(TestContent(), at: "a"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while !history.isOver {
                            // What is remembered is no point at which the writer would get its turn.
                            await Task.yield()
                            let known = history.count
                            let recalled = scene.store.recall(try scene.selector("a"))
                            let record: FileRecord?
                            if let recalled { record = recalled } else { record = try await scene.file("a") }
                            let seen = try record.required().revision.required().id
                            // What is not in the history yet was committed but not yet acknowledged: newer than all in it.
                            #expect(history.place(of: seen).map { $0 + 1 >= known } ?? true)
                        }
                    }
                }
                for _ in 0..<60 { history.note(try await scene.write(TestContent(), at: "a")) }
                history.end()
                try await group.waitForAll()
            }
        },
    ]

    private static func checkRecall(of record: FileRecord, in scene: MetadataScene) throws {
        let remembered = scene.store.recall(.path(record.container, record.path))
        #expect(remembered == nil || remembered == record)
    }
}

/// The revisions of a file that were acknowledged, in order.
private final class History: Sendable {
    private let revisions = Mutex<[RevisionID]>([])
    private let over = Atomic(false)

    var count: Int { revisions.withLock { $0.count } }
    var isOver: Bool { over.load(ordering: .relaxed) }

    func note(_ result: FileChangeResult) {
        guard let revision = result.record?.revision else { return }
        revisions.withLock { $0.append(revision.id) }
    }

    func place(of revision: RevisionID) -> Int? {
        revisions.withLock { $0.firstIndex(of: revision) }
    }

    func end() { over.store(true, ordering: .relaxed) }
}
