import ArgumentParser
import StorageCore

/// `stash ls`
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Show what is kept: digest and number of bytes.")

    @OptionGroup var place: Place

    func run() async throws {
        try await place.open { blobs in
            try await blobs.forEachKey { key in
                guard let info = try await blobs.info(for: key) else { return }
                print("\(key.digest)  \(info.size)")
            }
        }
    }
}

extension BlobStore {
    /// Passes every key on, page by page, in the order of their names.
    func forEachKey(_ body: (BlobKey) async throws -> Void) async throws {
        var last: BlobKey?
        while case let page = try await keys(after: last, limit: 1_000), !page.isEmpty {
            for key in page { try await body(key) }
            last = page.last
        }
    }
}
