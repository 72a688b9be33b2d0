import StorageCore

/// A program that embeds StorageCore and nothing else of the package: it makes an account, stores a file and lists it.
@main
enum LeanConsumer {
    static func main() async throws {
        let metadata = InMemoryMetadataStore()
        let storage = FileStorage(metadata: metadata, blobs: InMemoryBlobStore())
        let accounts = AccountRegistry(metadata: metadata, hasher: PasswordHasher(), passwords: PasswordPolicy())
        let ada = try await accounts.register(
            login: Array("ada".utf8), password: Array("a horse beside a lake".utf8), email: nil, as: nil)
        let owner = Principal(identity: .account(ada))
        let chunks = ByteStream(length: 0, isReplayable: true) { { nil } }
        _ = try await storage.put(NewFile(path: FilePath("notes/empty.txt")), body: chunks, as: owner)
        let page = try await storage.list(as: owner) { ListQuery(container: $0) }
        print("StorageCore keeps \(page.entries.map(\.path.description))")
    }
}
