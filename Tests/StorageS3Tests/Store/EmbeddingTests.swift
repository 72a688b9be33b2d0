import NIOCore
import StorageCore
import StorageS3
import Testing

@Suite("Embedding", .enabled(if: S3Server.bucket != nil))
struct EmbeddingTests {
    @Test("goes as the article says")
    func article() async throws {
        let place = try S3Server.configuration()
        let (endpoint, bucket) = (place.endpoint, place.bucket)
        let (accessKey, secretKey) = (place.credentials.accessKey, place.credentials.secretKey)
        let metadata = InMemoryMetadataStore()
        let spool = try TemporaryDirectory()

        let configuration = S3Configuration(
            endpoint: endpoint, bucket: bucket, prefix: "storaged",
            credentials: S3Credentials(accessKey: accessKey, secretKey: secretKey))
        let blobs = try await S3BlobStore.open(configuration, spoolDirectory: spool.path)
        let storage = FileStorage(metadata: metadata, blobs: blobs)

        let authentication = try BuiltInAuthentication(metadata: metadata)
        let ada = try await authentication.accounts.register(
            login: Array("ada".utf8), password: Array("correct horse battery".utf8), email: nil, as: nil)
        let token = Array(try await authentication.accounts.issueToken(for: ada, label: nil).text.utf8)
        let owner = try #require(try await authentication.authenticate(.bearer(token)))
        let container = try #require(storage.container(of: owner))
        for bytes in [ByteBuffer(string: "water the plants"), ByteBuffer(repeating: 7, count: 200_000)] {
            _ = try await storage.put(NewFile(path: FilePath("notes.txt")), body: ByteStream(bytes), as: owner)
            let (_, body) = try await storage.open(.path(container.id, try FilePath("notes.txt")))
            #expect(try await body.collect(upTo: 1 << 20) == bytes)
        }
        await authentication.shutdown()
    }
}
