import NIOCore
import StorageCore

/// Uploads in parts.
extension S3Bucket {
    /// Begins an upload, and returns what its parts are sent under.
    func createUpload(_ name: String) async throws -> String {
        let operation = "CreateMultipartUpload"
        let answer = try await client.send(
            operation, .post, prefix + name, query: [.init("uploads")],
            headers: [.init("Content-Type", "application/octet-stream")])
        return try await client.read(InitiateMultipartUploadResult.self, of: answer, to: operation).uploadID
    }

    /// Sends a part, from number 1 on, and returns its entity tag.
    func putPart(_ number: Int, of upload: String, _ name: String, _ body: S3Body) async throws -> String {
        let answer = try await client.send(
            "UploadPart", .put, prefix + name,
            query: [.init("partNumber", "\(number)"), .init("uploadId", upload)], body: body)
        try await answer.drain()
        guard let entityTag = answer.entityTag else { throw S3Failure.unbelievable("a stored part without entity tag") }
        return entityTag
    }

    /// Puts the parts together, and returns the entity tag of the object, where the service says it.
    ///
    /// - Parameter duration: How long it may take, with the service silent or sending white space meanwhile.
    /// - Throws: Also for an answer of status 200 that holds an error.
    func completeUpload(
        _ upload: String, _ name: String, parts: [String], within duration: Duration
    ) async throws -> String? {
        let operation = "CompleteMultipartUpload"
        let numbered = parts.enumerated().map { (number: $0.offset + 1, entityTag: $0.element) }
        let body = try S3Body.digesting(XMLWriter.completion(of: numbered))
        return try await S3Client.limited(to: duration) {
            let answer = try await client.send(
                operation, .post, prefix + name, query: [.init("uploadId", upload)],
                headers: [.init("Content-Type", "application/xml")], body: body, patience: duration)
            return try await client.read(
                CompleteMultipartUploadResult.self, of: answer, to: operation, within: duration
            ).entityTag
        }
    }

    /// Gives the parts of an upload back, also for a task that was cancelled; an upload that is not there has none.
    func abortUpload(_ upload: String, _ name: String) async throws {
        do {
            try await client.sendRegardless(
                "AbortMultipartUpload", .delete, prefix + name, query: [.init("uploadId", upload)])
        } catch let error as StorageError where (error.cause as? S3Failure)?.code == "NoSuchUpload" {
            // Somebody else was first, or it was completed.
        }
    }

    /// A page of the uploads that were begun and not ended, and the moment of the answer by the service's clock.
    func uploads(
        below area: String, after last: ListMultipartUploadsResult?
    ) async throws -> (page: ListMultipartUploadsResult, date: Timestamp?) {
        let operation = "ListMultipartUploads"
        var query: [S3Request.Parameter] = [
            .init("uploads"), .init("prefix", prefix + area), .init("encoding-type", "url"),
            .init("max-uploads", "1000"),
        ]
        if let marker = last?.nextKeyMarker {
            query.append(.init("key-marker", String(decoding: marker, as: UTF8.self)))
            if let id = last?.nextUploadIDMarker { query.append(.init("upload-id-marker", id)) }
        }
        let answer = try await client.send(operation, .get, query: query, isDispensable: true)
        return (try await client.read(ListMultipartUploadsResult.self, of: answer, to: operation), answer.date)
    }
}
