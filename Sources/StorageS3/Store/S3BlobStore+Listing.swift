public import StorageCore

extension S3BlobStore {
    /// Where blobs are, in the order of names.
    static let areas = ["containers/", "store/"]

    /// One page of keys, with as few requests as it takes.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        var keys: [BlobKey] = []
        let start = key.map { Array($0.name.utf8) }
        for area in Self.areas where keys.count < limit {
            let isInside = start?.starts(with: area.utf8) == true
            guard isInside || start?.lexicographicallyPrecedes(area.utf8) != false else { continue }
            try await forEachPage(in: area, after: isInside ? start : nil, limit: max(limit, 50)) { names in
                keys += names.lazy.compactMap { BlobKey(name: $0) }.prefix(limit - keys.count)
                return keys.count < limit
            }
        }
        return keys
    }

    /// Names that are none of a blob, and uploads in parts that were begun more than a day ago.
    public func strays(limit: Int) async throws -> [Stray] {
        var strays: [Stray] = []
        for area in Self.areas where strays.count < limit {
            try await forEachPage(in: area, after: nil, limit: S3Bucket.pageSize) { names in
                let foreign = names.lazy.filter { BlobKey(name: $0) == nil }.map { Stray(name: $0, origin: .foreign) }
                strays += foreign.prefix(limit - strays.count)
                return strays.count < limit
            }
        }
        try await forEachUpload(olderThan: .seconds(86_400)) { upload in
            guard strays.count < limit else { return false }
            strays.append(Stray(name: Array(upload.key.dropFirst(bucket.prefix.utf8.count)), origin: .abandonedUpload))
            return true
        }
        return strays
    }

    private func forEachPage(
        in area: String, after start: [UInt8]?, limit: Int, _ body: ([[UInt8]]) -> Bool
    ) async throws {
        var last = start
        while true {
            let after = last
            let page = try await caller.call("list") { _ in
                try await bucket.names(in: area, after: after, limit: limit)
            }
            last = page.names.last ?? last
            guard body(page.names), page.isTruncated else { return }
            try Task.checkCancellation()
        }
    }

    /// Calls the body with the uploads that were begun so long ago by the service's own clock, until it has enough.
    func forEachUpload(
        olderThan age: Duration, _ body: (ListMultipartUploadsResult.Upload) async throws -> Bool
    ) async throws {
        for area in Self.areas {
            var last: ListMultipartUploadsResult?
            repeat {
                let before = last
                let (page, date) = try await caller.call("list-uploads") { _ in
                    try await bucket.uploads(below: area, after: before)
                }
                let now = date ?? .now()
                for upload in page.uploads where Self.isOlder(upload, than: age, at: now) {
                    guard try await body(upload) else { return }
                }
                guard page.isTruncated,
                    page.nextKeyMarker != before?.nextKeyMarker || before?.nextUploadIDMarker != page.nextUploadIDMarker
                else { break }
                last = page
            } while last?.nextKeyMarker != nil
        }
    }

    private static func isOlder(_ upload: ListMultipartUploadsResult.Upload, than age: Duration, at now: Timestamp)
        -> Bool
    {
        guard age > .zero else { return true }
        guard let initiated = upload.initiated else { return false }
        return now.microseconds - initiated.microseconds > age.wholeMicroseconds
    }
}
