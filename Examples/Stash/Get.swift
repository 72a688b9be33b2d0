import ArgumentParser
import StorageCore
import _NIOFileSystem

/// `stash get DIGEST FILE`
struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a file, which appears only when all its bytes are right.")

    @OptionGroup var place: Place

    @Argument(help: "The SHA-256, as 'put' printed it.", transform: Self.digest)
    var digest: BlobDigest

    @Argument(help: "The file to write; must not exist.")
    var file: String

    func run() async throws {
        try await place.open { blobs in
            guard let content = try await blobs.open(BlobKey(digest), range: nil) else {
                throw ValidationError("There is no \(digest) in \(place.store).")
            }
            try await FileSystem.shared.withFileHandle(forWritingAt: .init(file)) { output in
                try await output.withBufferedWriter { writer in
                    for try await chunk in content.stream.verified(by: digest) {
                        try await writer.write(contentsOf: chunk)
                    }
                }
            }
        }
    }

    private static func digest(_ text: String) throws -> BlobDigest {
        guard let digest = BlobDigest(hex: text.utf8) else { throw ValidationError("A digest is 64 hex digits.") }
        return digest
    }
}
