public import StorageCore

extension S3BlobStore {
    /// Deletes a blob, with every version of it where the bucket keeps them.
    public func remove(_ key: BlobKey) async throws {
        if !facts.keepsVersions {
            let isKept = try await caller.call("delete") { _ in try await bucket.delete(key.name) }
            // Somebody has had the bucket keep versions since the store was opened.
            guard isKept else { return }
        }
        try await removeVersions(of: [key])
    }

    /// Deletes blobs, up to 1,000 with one request.
    public func remove(_ keys: [BlobKey]) async throws {
        guard keys.count > 1 || facts.keepsVersions else {
            for key in keys { try await remove(key) }
            return
        }
        guard !facts.keepsVersions else { return try await removeVersions(of: keys) }
        let isKept = try await remove(Set(keys).map { (name: $0.name, version: nil) })
        if isKept { try await removeVersions(of: keys) }
    }

    /// Returns whether the bucket keeps versions of what was named without one.
    @discardableResult
    private func remove(_ objects: [(name: String, version: String?)]) async throws -> Bool {
        var isKept = false
        for start in stride(from: 0, to: objects.count, by: S3Bucket.pageSize) {
            let page = Array(objects[start..<min(start + S3Bucket.pageSize, objects.count)])
            if try await caller.call("delete", { _ in try await bucket.delete(page) }) { isKept = true }
        }
        return isKept
    }

    private func removeVersions(of keys: [BlobKey]) async throws {
        var versions: [(name: String, version: String?)] = []
        for key in Set(keys) {
            let found = try await caller.call("list-versions") { _ in try await bucket.versions(of: key.name) }
            versions += found.map { (name: key.name, version: $0) }
        }
        try await remove(versions)
    }

    /// Gives back the parts of uploads that were begun so long ago and not ended.
    ///
    /// One that is under way after all begins anew.
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        var count = 0
        try await forEachUpload(olderThan: age) { upload in
            let name = String(decoding: upload.key.dropFirst(bucket.prefix.utf8.count), as: UTF8.self)
            try await caller.call("abort-upload") { _ in try await bucket.abortUpload(upload.id, name) }
            count += 1
            return true
        }
        return count
    }
}
