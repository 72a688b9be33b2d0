import ArgumentParser
import StorageCore

/// `stash verify`
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read everything, and name what is not what it was; exit status 1 when there is any.")

    @OptionGroup var place: Place

    func run() async throws {
        let (kept, damaged) = try await place.open { blobs in
            var (kept, damaged) = (0, 0)
            try await blobs.forEachKey { key in
                kept += 1
                if try await !isIntact(key, in: blobs) {
                    damaged += 1
                    print("\(key.digest)  damaged")
                }
            }
            return (kept, damaged)
        }
        print("\(kept) kept, \(damaged) damaged")
        if damaged > 0 { throw ExitCode.failure }
    }

    private func isIntact(_ key: BlobKey, in blobs: some BlobStore) async throws -> Bool {
        do {
            guard let content = try await blobs.open(key, range: nil) else { return false }
            for try await _ in content.stream.verified(by: key.digest) {}
            return true
        } catch let error as StorageError where error.code == .corrupt {
            return false
        }
    }
}
