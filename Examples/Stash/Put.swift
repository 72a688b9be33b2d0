import ArgumentParser
import StorageCore
import _NIOFileSystem

/// `stash put FILE…`
struct Put: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep files; prints a line for each once its bytes are on the disk.")

    @OptionGroup var place: Place

    @Argument(help: "The files to keep.")
    var files: [String]

    func run() async throws {
        try await place.open(creating: true) { blobs in
            for name in files {
                print("\(try await put(name, into: blobs))  \(name)")
            }
        }
    }

    /// Keeps one file, which is read in chunks.
    private func put(_ name: String, into blobs: some BlobStore) async throws -> BlobDigest {
        let staged = try await FileSystem.shared.withFileHandle(forReadingAt: .init(name)) { file in
            let length = try await file.info().size
            return try await blobs.stage(ByteStream(file.readChunks(), length: length, isReplayable: true))
        }
        do {
            try await blobs.publish(staged, as: BlobKey(staged.digest))
        } catch {
            await blobs.discard(staged)
            throw error
        }
        await blobs.discard(staged)
        return staged.digest
    }
}
