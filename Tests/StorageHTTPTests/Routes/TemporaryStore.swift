import Foundation

/// A directory for a store on disk, gone with its last reference.
final class TemporaryStore: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "storaged-routes-\(UUID().uuidString)")
        path = url.path(percentEncoded: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
