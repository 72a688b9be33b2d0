import ArgumentParser
import StorageCore

/// `stash`: an archive of files under the SHA-256 of their bytes, with StorageCore's blob store alone.
///
/// The store keeps bytes, not names: `put` prints lines as `sha256sum` does, and that list is what people keep.
@main
struct Stash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stash", abstract: "Keeps files under the SHA-256 of their bytes.",
        subcommands: [Put.self, Get.self, List.self, Verify.self])
}

/// Where the archive lies.
struct Place: ParsableArguments {
    @Option(help: "The directory of the archive; 'put' makes it.")
    var store = "./stash"

    /// Does something with the archive, opened, and closes it.
    func open<Value>(
        creating: Bool = false, _ body: (LocalDiskBlobStore) async throws -> Value
    ) async throws -> Value {
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.createsStore = creating
        let blobs = try await LocalDiskBlobStore.open(directory: store, configuration: configuration)
        do {
            let value = try await body(blobs)
            await blobs.shutdown()
            return value
        } catch {
            await blobs.shutdown()
            throw error
        }
    }
}

extension BlobKey {
    /// Where a digest lies in an archive that has one owner and deletes nothing.
    init(_ digest: BlobDigest) {
        self.init(space: .shared, digest: digest)
    }
}
