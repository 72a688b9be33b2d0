internal import CLinux
import NIOCore

/// What a cache needs whose blobs are all copies of others.
extension LocalDiskBlobStore {
    /// Deletes blobs without a sync: when a power cut brings one back, it is still right.
    func removeCopies(_ keys: [BlobKey]) async throws {
        try await writing.runRegardless {
            try self.translating {
                for (folder, keys) in Dictionary(grouping: keys, by: \.folder) {
                    guard let opened = try self.directory.openIfPresent(folder, linux_open_directory) else { continue }
                    for key in keys { try StoreDirectory.removeFile(key.leaf, in: opened) }
                }
            }
        }
    }

    /// One page of what is here in the order of ``keys(after:limit:)``, with sizes and the seconds at which each was written; empty at
    /// the end. What is no file has the size -1.
    func copies(
        after key: BlobKey?, limit: Int
    ) async throws -> [(key: BlobKey, size: Int64, modified: Int64)] {
        let keys = try await keys(after: key, limit: limit)
        return try await reading.run {
            try self.translating {
                try keys.map { key in
                    let file = try self.directory.openIfPresent(key.name, linux_open_path)
                    let status = try file.map { try StoreDirectory.status(of: $0) }
                    guard let status, status.is_file != 0 else { return (key, -1, 0) }
                    return (key, status.size, status.modified)
                }
            }
        }
    }

    /// A few bytes of an open file of this store, at once when they are in memory.
    func bytes(of file: OpenFile, at offset: Int64, count: Int) async throws -> ByteBuffer {
        if let bytes = Self.cachedBytes(of: file, at: offset, count: count) { return bytes }
        return try await reading.runRegardless {
            try self.translating { try Self.bytes(of: file, at: offset, count: count) }
        }
    }
}
