import NIOCore
import StorageCore

/// The objects of one bucket below a prefix; every method is one request, made once.
struct S3Bucket: Sendable {
    let client: S3Client
    /// What stands before every name: nothing, or something that ends in a slash.
    let prefix: String

    init(_ configuration: S3Configuration, alarms: S3Alarms = S3Alarms()) throws {
        client = try S3Client(configuration, alarms: alarms)
        prefix = configuration.normalizedPrefix
    }

    /// What came of writing an object.
    enum Put: Sendable {
        /// It was written and has this entity tag now.
        case stored(entityTag: String)
        /// Nothing was written, because there is one of that name.
        case present
    }

    /// The facts of an object; nil when there is none, or no bucket.
    func head(_ name: String) async throws -> S3Object? {
        let answer = try await client.send("HeadObject", .head, prefix + name, accepting: [200, 404])
        try await answer.drain()
        guard answer.status == 200 else { return nil }
        guard let size = answer.contentLength, let entityTag = answer.entityTag else {
            throw S3Failure.unbelievable("an object without size or entity tag")
        }
        return S3Object(size: size, entityTag: entityTag)
    }

    /// Writes an object.
    ///
    /// - Parameters:
    ///   - onlyIfAbsent: Writes nothing when there is one of that name; only where the service is known to understand it.
    ///   - isDispensable: Whether the caller can do without it: that it is refused is no alarm then.
    func put(
        _ name: String, _ body: S3Body, onlyIfAbsent: Bool, isDispensable: Bool = false
    ) async throws -> Put {
        let answer = try await client.send(
            "PutObject", .put, prefix + name,
            headers: [.init("Content-Type", "application/octet-stream")]
                + (onlyIfAbsent ? [.init("If-None-Match", "*")] : []),
            body: body, accepting: onlyIfAbsent ? [200, 412] : [200], isDispensable: isDispensable)
        try await answer.drain()
        guard answer.status == 200 else { return .present }
        guard let entityTag = answer.entityTag else {
            throw S3Failure.unbelievable("a stored object without entity tag")
        }
        return .stored(entityTag: entityTag)
    }

    /// Begins to read an object or a part of it.
    ///
    /// - Parameter entityTag: What the object's must be, if it is to be one that was seen before.
    /// - Returns: nil when there is none. The status is 200 or 206, 412 for an object with another entity tag, 416 for one that has no
    ///   byte in that range.
    func get(_ name: String, range: ByteRange? = nil, ifMatch entityTag: String? = nil) async throws -> S3Answer? {
        var headers: [S3Request.Header] = []
        if let range { headers.append(.init("Range", Self.text(of: range))) }
        if let entityTag { headers.append(.init("If-Match", entityTag)) }
        let answer = try await client.send(
            "GetObject", .get, prefix + name, headers: headers, accepting: [200, 206, 404, 412, 416])
        guard answer.status >= 400 else { return answer }
        let body = try await answer.collect(upTo: 64 << 10)
        guard answer.status == 404 else { return answer }
        try requireAbsence("GetObject", answer, body)
        return nil
    }

    /// Makes sure that it is the service that says that there is no such object: what stands between answers 404 to anything.
    private func requireAbsence(_ operation: String, _ answer: S3Answer, _ body: ByteBuffer) throws {
        guard let said = try? ErrorAnswer(parsing: body), let code = said.code else {
            throw S3Failure.unbelievable("the answer to \(operation): status 404 and no word of S3")
        }
        guard code == "NoSuchKey" || code == "NoSuchVersion" else { throw client.failure(operation, answer, said) }
    }

    private static func text(of range: ByteRange) -> String {
        range.upperBound == .max
            ? "bytes=\(range.lowerBound)-" : "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
    }

    /// Deletes an object, or one version of it; one that is not there is fine.
    ///
    /// - Returns: Whether the bucket keeps versions: then what was there is still there below a mark.
    @discardableResult
    func delete(_ name: String, version: String? = nil) async throws -> Bool {
        let answer = try await client.send(
            "DeleteObject", .delete, prefix + name, query: version.map { [.init("versionId", $0)] } ?? [],
            accepting: [200, 204, 404])
        let body = try await answer.collect(upTo: 64 << 10)
        if answer.status == 404 { try requireAbsence("DeleteObject", answer, body) }
        return version == nil && answer.isDeleteMarker
    }

    /// Asks whether the bucket is there.
    func headBucket() async throws {
        let answer = try await client.send("HeadBucket", .head, accepting: [200, 404])
        try await answer.drain()
        guard answer.status == 404 else { return }
        throw client.failure(
            "HeadBucket", answer, ErrorAnswer(code: "NoSuchBucket"))
    }
}
