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
            // In what order uploads are listed is not the same everywhere; that a page ends where another did is wrong in any.
            var ends: Set<[String?]> = []
            repeat {
                let (before, known) = (last, ends)
                let (page, date) = try await caller.call("list-uploads") { _ in
                    let answer = try await bucket.uploads(below: area, after: before)
                    guard !answer.page.isTruncated || (!answer.page.uploads.isEmpty && answer.page.nextKeyMarker != nil)
                    else { throw S3Failure.unbelievable("a list of uploads that ends before its end") }
                    guard !answer.page.isTruncated || !known.contains(Self.end(of: answer.page)) else {
                        throw S3Failure.unbelievable("a list of uploads that goes in circles")
                    }
                    return answer
                }
                let now = date ?? .now()
                for upload in page.uploads where Self.isOlder(upload, than: age, at: now) {
                    guard try await body(upload) else { return }
                }
                ends.insert(Self.end(of: page))
                guard ends.count < Self.mostUploadPages else { throw S3Failure.unbelievable("uploads without end") }
                last = page.isTruncated ? page : nil
            } while last != nil
        }
    }

    /// A thousand uploads each.
    private static let mostUploadPages = 10_000

    private static func end(of page: ListMultipartUploadsResult) -> [String?] {
        [page.nextKeyMarker.map { String(decoding: $0, as: UTF8.self) }, page.nextUploadIDMarker]
    }

    private static func isOlder(_ upload: ListMultipartUploadsResult.Upload, than age: Duration, at now: Timestamp)
        -> Bool
    {
        guard age > .zero else { return true }
        guard let initiated = upload.initiated else { return false }
        return now.microseconds - initiated.microseconds > age.wholeMicroseconds
    }
}
