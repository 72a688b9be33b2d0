import Testing

@testable import StorageCore

@Suite("Sharing the syncs of a folder")
struct FolderSyncsTests {
    @Test("one sync serves all that came before it began, and the next is led by one of those who came later")
    func grouping() async throws {
        let syncs = FolderSyncs()
        #expect(syncs.begin("a") == .lead)
        #expect(syncs.begin("b") == .lead)
        syncs.start("a")
        let leads = Counter()
        let served = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                #expect(syncs.begin("a") == .wait)
                group.addTask {
                    switch await syncs.wait(for: "a") {
                    case .lead:
                        leads.increment()
                        syncs.start("a")
                        syncs.end("a", nil)
                    case .done(let failure):
                        if failure == nil { served.increment() }
                    }
                }
            }
            syncs.end("a", nil)
        }
        #expect(leads.value >= 1)
        #expect(leads.value + served.value == 100)
        #expect(syncs.begin("a") == .lead)
        #expect(syncs.begin("b") == .wait)
    }

    @Test("those that a failed sync served are told, and nobody else")
    func failure() async throws {
        let syncs = FolderSyncs()
        #expect(syncs.begin("a") == .lead)
        async let first = syncs.wait(for: "a")
        async let second = syncs.wait(for: "a")
        // Both must wait before the sync is over.
        while syncs.waiting(for: "a") < 2 { await Task.yield() }
        syncs.start("a")
        syncs.end("a", StorageError(.internal, "fsync"))
        for outcome in await [first, second] {
            guard case .done(let failure) = outcome else {
                Issue.record("Nobody needs to lead: \(outcome)")
                continue
            }
            #expect(failure?.code == .internal)
        }
        #expect(syncs.begin("a") == .lead)
    }
}
