import NIOCore
import StorageCore
import Testing

@testable import storaged

@Suite("The stores that a database knows")
struct StoreHistoryTests {
    private func place(_ id: String, _ blobs: InMemoryBlobStore = InMemoryBlobStore()) -> StorePlace {
        StorePlace(store: blobs, id: id, name: "the store", setting: "s3.bucket")
    }

    /// What stores are to a database that knows some already.
    struct Start: Sendable, CustomTestStringConvertible {
        let ids: [String]
        let isSettled: Bool
        let store: String
        let fallback: String?
        /// nil where the start is refused.
        let step: StoreHistory.Step?

        init(_ ids: [String], settled: Bool = true, _ store: String, _ fallback: String?, _ step: StoreHistory.Step?) {
            (self.ids, isSettled, self.store, self.fallback, self.step) = (ids, settled, store, fallback, step)
        }

        var testDescription: String { "\(ids)\(isSettled ? "" : "…"), then \(store) before \(fallback ?? "none")" }
    }

    static let starts = [
        Start([], "a", nil, .adding),
        Start([], "a", "b", nil),
        Start(["a"], "a", nil, .nothing),
        Start(["a"], "b", nil, nil),
        Start(["a"], "a", "b", nil),
        Start(["a"], "b", "c", nil),
        Start(["a"], "b", "a", .adding),
        // On the way from a to b.
        Start(["a", "b"], settled: false, "b", "a", .nothing),
        Start(["a", "b"], settled: false, "b", nil, nil),
        Start(["a", "b"], settled: false, "a", nil, nil),
        Start(["a", "b"], settled: false, "b", "c", nil),
        Start(["a", "b"], settled: false, "a", "b", .adding),
        Start(["a", "b"], settled: false, "c", "b", nil),
        // Arrived in b.
        Start(["a", "b"], "b", nil, .nothing),
        Start(["a", "b"], "b", "a", .nothing),
        Start(["a", "b"], "b", "c", nil),
        Start(["a", "b"], "a", nil, nil),
        Start(["a", "b"], "a", "b", .adding),
        Start(["a", "b"], "c", "b", .adding),
        Start(["a", "b"], "c", "a", nil),
    ]

    @Test("decide what may be used, with what beside it", arguments: starts)
    func steps(start: Start) throws {
        let history = StoreHistory(ids: start.ids, isSettled: start.isSettled)
        let (store, fallback) = (place(start.store), start.fallback.map { place($0) })
        // A place that is no store yet becomes one only where it would be taken. One that was left for another was a store before.
        let isTurnedRound = !start.isSettled && start.step == .adding
        #expect(history.allowsNew(inFrontOf: fallback) == (start.step == .adding && !isTurnedRound))
        guard let step = start.step else {
            let error = #expect(throws: StorageError.self) { try history.step(to: store, from: fallback) }
            #expect(error?.code == .wrongStore)
            return
        }
        #expect(try history.step(to: store, from: fallback) == step)
    }

    @Test("are remembered from move to move, there and back")
    func moves() async throws {
        let metadata = InMemoryMetadataStore()
        let (disk, bucket) = (place("a"), place("b"))
        try await disk.confirm(inFrontOf: nil, belongsTo: metadata)
        try await disk.confirm(inFrontOf: nil, belongsTo: metadata)
        var history = try await StoreHistory(of: metadata)
        #expect(history == StoreHistory(ids: ["a"]))

        try await bucket.confirm(inFrontOf: disk, belongsTo: metadata)
        history = try await StoreHistory(of: metadata)
        #expect(history == StoreHistory(ids: ["a", "b"], isSettled: false))
        await #expect(throws: StorageError.self) { try await bucket.confirm(inFrontOf: nil, belongsTo: metadata) }
        try await history.settle(in: metadata)
        try await bucket.confirm(inFrontOf: nil, belongsTo: metadata)

        try await disk.confirm(inFrontOf: bucket, belongsTo: metadata)
        history = try await StoreHistory(of: metadata)
        #expect(history == StoreHistory(ids: ["a", "b", "a"], isSettled: false))
        try await history.settle(in: metadata)
        try await disk.check(inFrontOf: nil, belongsTo: metadata)
    }

    @Test("get a new one only while it is empty, or was theirs before")
    func foreign() async throws {
        let (metadata, blobs) = (InMemoryMetadataStore(), InMemoryBlobStore())
        let staged = try await blobs.stage(ByteStream(ByteBuffer(bytes: [1, 2, 3])))
        try await blobs.publish(staged, as: BlobKey(space: .shared, digest: staged.digest))
        let (empty, full) = (place("a"), place("b", blobs))
        await #expect(throws: StorageError.self) { try await full.confirm(inFrontOf: nil, belongsTo: metadata) }
        try await empty.confirm(inFrontOf: nil, belongsTo: metadata)
        await #expect(throws: StorageError.self) { try await full.confirm(inFrontOf: empty, belongsTo: metadata) }
        let history = try await StoreHistory(of: metadata)
        #expect(history.ids == ["a"])
    }

    @Test("are added once, however many processes begin at a time")
    func race() async throws {
        let metadata = InMemoryMetadataStore()
        try await place("a").confirm(inFrontOf: nil, belongsTo: metadata)
        let begun = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let new = place("b\(number % 2)")
                    return (try? await new.confirm(inFrontOf: place("a"), belongsTo: metadata)) != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(begun == 4)
        let history = try await StoreHistory(of: metadata)
        #expect(history.ids.count == 2)
    }

    @Test("end a daemon that began before another was added")
    func watch() async throws {
        let metadata = InMemoryMetadataStore()
        let (disk, bucket) = (place("a"), place("b"))
        let history = try await disk.confirm(inFrontOf: nil, belongsTo: metadata)
        let watch = StoreWatch(history, in: metadata)
        try await watch.check()
        let next = try await bucket.confirm(inFrontOf: disk, belongsTo: metadata)
        let error = await #expect(throws: CommandFailure.self) { try await watch.run() }
        #expect(error?.exitStatus == .configuration)
        #expect(error?.description.contains("the store a,") == true)
        try await StoreWatch(next, in: metadata).check()
        // The end of a move is no other store.
        try await next.settle(in: metadata)
        try await StoreWatch(next, in: metadata).check()
    }

    @Test("are not added to by a command")
    func command() async throws {
        let metadata = InMemoryMetadataStore()
        await #expect(throws: StorageError.self) { try await place("a").check(inFrontOf: nil, belongsTo: metadata) }
        try await place("a").confirm(inFrontOf: nil, belongsTo: metadata)
        await #expect(throws: StorageError.self) {
            try await place("b").check(inFrontOf: place("a"), belongsTo: metadata)
        }
        let history = try await StoreHistory(of: metadata)
        #expect(history.ids == ["a"])
    }
}
