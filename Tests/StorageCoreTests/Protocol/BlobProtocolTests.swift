import Testing

@Suite("The protocol of uploads, deletions and collectors, in every state that can be reached,")
struct BlobProtocolTests {
    private static let casts = [
        Cast(uploads: 1, collectors: 2), Cast(uploads: 1, collectors: 2, keepsOlder: true),
        Cast(uploads: 2, replaces: false, collectors: 2), Cast(uploads: 2, collectors: 1, keepsOlder: true),
        Cast(uploads: 2, replaces: false, deletions: 2, collectors: 1),
    ]

    @Test(
        "loses nothing, deletes nothing that is referred to, writes no dead key and leaves nothing behind",
        arguments: casts)
    func holds(_ cast: Cast) {
        let result = StateSearch.run(BlobProtocol(cast))
        #expect(result.holds, "\(result.account)")
        #expect(result.states > 5_000)
    }

    /// Processes that are stopped for longer than any lease: the promises of time are broken, those of the database are not.
    @Test(
        "loses nothing whatever the clocks do",
        arguments: [
            Cast(uploads: 0, collectors: 1, generations: 3),
            Cast(uploads: 0, collectors: 1, keepsOlder: true, generations: 3),
            Cast(uploads: 1, collectors: 1, generations: 2),
            Cast(uploads: 1, replaces: false, collectors: 1, generations: 3),
        ])
    func isSafeWithoutTime(_ cast: Cast) {
        let protocolWithoutTime = BlobProtocol(cast, without: .timing)
        let result = StateSearch.run(protocolWithoutTime, for: [.nothingIsLost, .nothingReferencedIsDeleted])
        #expect(result.holds, "\(result.account)")
        #expect(result.states > 5_000)
    }

    /// One guard, and what it alone keeps true.
    struct Necessity: CustomTestStringConvertible {
        let name: String
        let removed: Guards
        let violated: Invariant

        init(_ name: String, _ removed: Guards, _ violated: Invariant) {
            self.name = name
            self.removed = removed
            self.violated = violated
        }

        var testDescription: String { "\(name): \(violated)" }
    }

    private static let necessities = [
        Necessity("the row comes after the bytes", .rowBeforeBytes, .nothingIsLeftBehind),
        Necessity("another's pending write is trusted", .writesDespitePending, .nothingIsLost),
        Necessity("the commit does not wait for the bytes", .bytesBeforeCommit, .nothingIsLost),
        Necessity("the commit does not check the state again", .recheckInCommit, .nothingIsLost),
        Necessity("the commit does not check the state again", .recheckInCommit, .nothingReferencedIsDeleted),
        Necessity("a key is used again", .newGenerations, .nothingIsLost),
        Necessity("a key is used again", .newGenerations, .deadKeysStayUnwritten),
        Necessity("generation 0 has no tombstone", .tombstones, .nothingIsLost),
        Necessity("generation 0 has no tombstone", .tombstones, .deadKeysStayUnwritten),
        Necessity("a deletion releases nothing", .releaseOnDelete, .nothingIsLeftBehind),
        Necessity("pruning releases nothing", .releaseOnPrune, .nothingIsLeftBehind),
        Necessity("the collector decides on a stale look", .freshLookInDoom, .nothingIsLost),
        Necessity("the collector decides on a stale look", .freshLookInDoom, .nothingReferencedIsDeleted),
        Necessity("bytes are deleted while the life is live", .doomBeforeDelete, .nothingIsLost),
        Necessity("the tombstone comes before the deletion", .deleteBeforeTombstone, .nothingIsLeftBehind),
        Necessity("a deletion that nobody reported is forgotten", .retryOfDoomed, .nothingIsLeftBehind),
        Necessity("a claim has no lease", .lease, .deadKeysStayUnwritten),
        Necessity("a claim has no lease", .lease, .nothingIsLeftBehind),
        Necessity("released bytes have no grace", .grace, .deadKeysStayUnwritten),
        Necessity("released bytes have no grace", .grace, .nothingIsLeftBehind),
    ]

    @Test("fails without each of its guards", arguments: necessities)
    func needs(_ necessity: Necessity) {
        let crippled = BlobProtocol(Cast(uploads: 1, collectors: 1), without: necessity.removed)
        let result = StateSearch.run(crippled, for: [necessity.violated])
        #expect(!result.holds, "\(result.states) states, and \(necessity.violated) holds in each")
    }

    @Test("has no guard that nothing goes wrong without")
    func everyGuardIsNeeded() {
        let needed = Self.necessities.reduce(into: Guards()) { $0.formUnion($1.removed) }
        #expect(needed == .all)
    }

    @Test(
        "loses what is told step by step: an upload that is overtaken by a collector, where the commit does not look again"
    )
    func tells() throws {
        let crippled = BlobProtocol(Cast(uploads: 1, replaces: false, collectors: 1), without: .recheckInCommit)
        let trace = try #require(StateSearch.run(crippled, for: [.nothingIsLost]).trace)
        #expect(
            trace == [
                "writer 1 claims the live generation 0 → lives: 0 live with bytes; files: [0][]",
                "writer 1 sees the bytes of generation 0 → lives: 0 live with bytes; files: [0][]",
                "the deleter deletes a file → lives: 0 live released with bytes; files: [][]",
                "collector 0 dooms generation 0 → lives: 0 doomed with bytes; files: [][]",
                "writer 1 commits a revision of generation 0 → lives: 0 doomed with bytes; files: [][0]",
                "collector 0 sends a DELETE to generation 0 → lives: 0 doomed with bytes; files: [][0]",
                "collector 0 sees its DELETE land on generation 0 → lives: 0 doomed; files: [][0]",
                "violated: nothingIsLost",
            ])
    }
}

extension StateSearch.Result {
    /// How it came to a violation, for people.
    fileprivate var account: String { (trace ?? []).joined(separator: "\n") }
}
