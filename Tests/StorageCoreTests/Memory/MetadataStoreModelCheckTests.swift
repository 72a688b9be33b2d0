import StorageCore
import StorageTesting
import Testing

@Suite("MetadataStoreModelCheck")
struct MetadataStoreModelCheckTests {
    @Test("finds no difference between two stores of a kind")
    func agrees() async throws {
        try await MetadataStoreModelCheck(seed: 1, operations: 500).run { try await $0(InMemoryMetadataStore()) }
    }

    /// The only issue recorded is the one that must be.
    @Test("tells of a store that counts wrong by its seed, the one operation that shows it, and both answers")
    func tells() async throws {
        try await withKnownIssue {
            try await MetadataStoreModelCheck(seed: 7, operations: 200).run { body in
                let store = FaultyMetadataStore(InMemoryMetadataStore(), journal: CallJournal())
                store.plan { $0.miscount = 3 }
                try await body(store)
            }
        } matching: { issue in
            let text = issue.comments.map(\.rawValue).joined()
            return [
                "Seed 7:", "\n1. inspect\n", "The model: container 0: 0 bytes,", "The store: container 0: 3 bytes,",
            ]
            .allSatisfy { text.contains($0) }
        }
    }
}
