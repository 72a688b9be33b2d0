import NIOCore
import StorageCore

/// Lists, and the deletion of many.
extension S3Bucket {
    /// How many names a service puts into one page at most, and takes in one deletion.
    static let pageSize = 1_000

    /// A page of the names of objects in their order.
    ///
    /// - Parameters:
    ///   - area: What all of the names begin with.
    ///   - last: The name that the page begins behind.
    /// - Returns: The names, relative to the prefix, and whether there are more.
    func names(in area: String, after last: [UInt8]?, limit: Int) async throws -> (names: [[UInt8]], isTruncated: Bool)
    {
        let operation = "ListObjectsV2"
        let root = Array(prefix.utf8)
        var query: [S3Request.Parameter] = [
            .init("list-type", "2"), .init("prefix", prefix + area), .init("encoding-type", "url"),
            .init("max-keys", "\(min(limit, Self.pageSize))"),
        ]
        if let last { query.append(.init("start-after", String(decoding: root + last, as: UTF8.self))) }
        let answer = try await client.send(operation, .get, query: query)
        let page = try await client.read(ListBucketResult.self, of: answer, to: operation)
        var names: [[UInt8]] = []
        names.reserveCapacity(page.objects.count)
        for object in page.objects {
            let name = Array(object.key.dropFirst(root.count))
            // A page that does not go on where the last one ended would be asked for without end.
            guard object.key.starts(with: root), name.starts(with: area.utf8),
                (names.last ?? last).map({ $0.lexicographicallyPrecedes(name) }) ?? true
            else { throw S3Failure.unbelievable("a list that is not in order") }
            names.append(name)
        }
        guard !page.isTruncated || !names.isEmpty else {
            throw S3Failure.unbelievable("an empty page that is not the last")
        }
        return (names, page.isTruncated)
    }

    /// Deletes up to 1,000 objects, or versions of objects.
    ///
    /// - Returns: Whether the bucket keeps versions: then some of what was there is still there below a mark.
    func delete(_ objects: [(name: String, version: String?)]) async throws -> Bool {
        guard !objects.isEmpty else { return false }
        let operation = "DeleteObjects"
        let body = XMLWriter.removal(of: objects.map { (key: Array((prefix + $0.name).utf8), versionID: $0.version) })
        var hasher = try MD5Hasher()
        try hasher.update(body)
        let answer = try await client.send(
            operation, .post, query: [.init("delete")],
            headers: [
                .init("Content-MD5", Base64Text.encode(try hasher.finalize(), .standard) + "=="),
                .init("Content-Type", "application/xml"),
            ],
            body: .digesting(body))
        let result = try await client.read(DeleteResult.self, of: answer, to: operation)
        let failures = result.failures
        let worst = failures.first { $0.code != "NoSuchKey" && $0.code != "NoSuchVersion" }
        if let worst {
            throw S3Failure(
                operation: operation, status: answer.status, code: worst.code,
                message: "\(worst.message) (\(failures.count) of \(objects.count))", requestID: nil
            ).storageError()
        }
        // A key that nothing is said of may still be there.
        let unsaid = result.unsaid(of: objects.map { Array((prefix + $0.name).utf8) })
        guard unsaid == 0 else {
            throw S3Failure.unbelievable("a deletion that says nothing of \(unsaid) of \(objects.count) keys")
        }
        return !result.hidden.isEmpty
    }

    /// All versions of an object, those that only say that it was deleted among them.
    func versions(of name: String) async throws -> [String] {
        let operation = "ListObjectVersions"
        var versions: [String] = []
        var known: Set<String> = []
        var last: ListVersionsResult?
        repeat {
            var query: [S3Request.Parameter] = [
                .init("versions"), .init("prefix", prefix + name), .init("encoding-type", "url"),
            ]
            if let marker = last?.nextKeyMarker {
                query.append(.init("key-marker", String(decoding: marker, as: UTF8.self)))
                if let id = last?.nextVersionIDMarker { query.append(.init("version-id-marker", id)) }
            }
            let answer = try await client.send(operation, .get, query: query)
            let page = try await client.read(ListVersionsResult.self, of: answer, to: operation)
            let wanted = page.versions.filter { $0.key.elementsEqual((prefix + name).utf8) }
            versions += wanted.map(\.id)
            guard versions.count <= 100_000 else { throw S3Failure.unbelievable("versions without end") }
            guard wanted.allSatisfy({ known.insert($0.id).inserted }) else {
                throw S3Failure.unbelievable("a list of versions that goes in circles")
            }
            // The names behind it are those of other generations.
            last = page.isTruncated && wanted.count == page.versions.count ? page : nil
            guard last == nil || (!wanted.isEmpty && page.nextKeyMarker != nil) else {
                throw S3Failure.unbelievable("a list of versions that ends before its end")
            }
        } while last != nil
        return versions
    }

    /// Whether the bucket keeps what is deleted, or did at a time.
    func keepsVersions() async throws -> Bool {
        let operation = "GetBucketVersioning"
        let answer = try await client.send(operation, .get, query: [.init("versioning")], isDispensable: true)
        return try await client.read(VersioningConfiguration.self, of: answer, to: operation).status != .off
    }
}
