import Foundation

/// A directory for a store on disk, gone with its last reference.
final class TemporaryStore: Sendable {
    let path: String

    /// - Parameter isMade: Whether it is there at once; a store makes it by itself.
    init(isMade: Bool = false) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "storaged-routes-\(UUID().uuidString)")
        path = url.path(percentEncoded: false)
        if isMade { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
