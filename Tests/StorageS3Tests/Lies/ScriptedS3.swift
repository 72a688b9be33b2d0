import Foundation
import NIOCore
import NIOHTTP1
import StorageCore
import Synchronization

@testable import StorageS3

/// A bucket in memory that is honest until it is told to lie: for what no real server does on demand.
final class ScriptedS3: Sendable {
    /// Changes the honest answer to a request, of which it is the nth of its operation, from 1.
    typealias Lie = @Sendable (_ request: ScriptedRequest, _ count: Int, _ honest: ScriptedAnswer) -> ScriptedAnswer

    /// Answers a request in the place of the bucket, on which it has no effect then.
    typealias Refusal = @Sendable (_ request: ScriptedRequest, _ count: Int) -> ScriptedAnswer?

    private struct Object {
        var bytes: ByteBuffer
        var entityTag: String
    }

    private struct State {
        var objects: [String: Object] = [:]
        var uploads: [String: [Int: ByteBuffer]] = [:]
        var counts: [String: Int] = [:]
        var ranges: [String] = []
        var lie: Lie?
        var refusal: Refusal?
        var ignoresConditions = false
        var tagsByDigest = false
        var tags = 0
        var server: ScriptedServer?
    }

    private let state = Mutex(State())

    /// Begins to lie.
    func lie(_ lie: @escaping Lie) { state.withLock { $0.lie = lie } }

    /// Begins to refuse.
    func refuse(_ refusal: @escaping Refusal) { state.withLock { $0.refusal = refusal } }

    /// Takes no notice of `If-None-Match` from now on, as some services do.
    func ignoreConditions() { state.withLock { $0.ignoresConditions = true } }

    /// Gives objects the MD5 of their bytes as entity tags from now on, as services do that do not encrypt.
    func tagByDigest() { state.withLock { $0.tagsByDigest = true } }

    /// How many requests of an operation there were since the store was opened.
    func count(_ operation: String) -> Int { state.withLock { $0.counts[operation] ?? 0 } }

    /// How many bytes of answers were written.
    var bytesSent: Int { state.withLock { $0.server?.bytesSent ?? 0 } }

    /// What reads asked for.
    var ranges: [String] { state.withLock { $0.ranges } }

    /// The uploads that were begun and not ended.
    var uploads: Int { state.withLock { $0.uploads.count } }

    /// Puts other bytes in the place of an object.
    func replace(_ name: String, _ bytes: ByteBuffer) {
        state.withLock { state in
            guard let path = state.objects.keys.first(where: { $0.hasSuffix(name) }) else { return }
            state.tags += 1
            state.objects[path] = Object(bytes: bytes, entityTag: "\"tag-\(state.tags)\"")
        }
    }

    /// Runs a body with a store in the bucket.
    func withStore<Value>(
        _ change: (inout S3Configuration) -> Void = { _ in }, _ body: (S3BlobStore) async throws -> Value
    ) async throws -> Value {
        try await withBucket(change) { configuration in
            let place = try await S3Place(configuration)
            let store = try await place.open()
            state.withLock { $0.counts = [:] }
            return try await body(store)
        }
    }

    /// Runs a body with what the bucket is reached by.
    func withBucket<Value>(
        _ change: (inout S3Configuration) -> Void = { _ in }, _ body: (S3Configuration) async throws -> Value
    ) async throws -> Value {
        let server = try await ScriptedServer { [self] in answer($0) }
        state.withLock { $0.server = server }
        defer { state.withLock { $0.server = nil } }
        var configuration = S3Configuration(
            endpoint: "http://127.0.0.1:\(server.port)", bucket: "bucket",
            credentials: S3Credentials(accessKey: "key", secretKey: "secret"))
        configuration.retryPolicy.baseDelay = .milliseconds(1)
        configuration.idleTimeout = .seconds(5)
        change(&configuration)
        return try await body(configuration)
    }

    func answer(_ request: ScriptedRequest) -> ScriptedAnswer {
        let (lie, refusal, count) = state.withLock { state in
            state.counts[request.operation, default: 0] += 1
            return (state.lie, state.refusal, state.counts[request.operation] ?? 0)
        }
        if let refused = refusal?(request, count) { return refused }
        let honest = state.withLock { Self.honest(request, &$0) }
        return lie?(request, count, honest) ?? honest
    }

    private static func honest(_ request: ScriptedRequest, _ state: inout State) -> ScriptedAnswer {
        switch request.operation {
        case "GetBucketVersioning": return .xml("<VersioningConfiguration/>")
        case "ListObjectsV2":
            return .xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        case "ListMultipartUploads":
            return .xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
        case "PutObject":
            if !state.ignoresConditions, request.headers.contains(name: "If-None-Match"),
                state.objects[request.path] != nil
            {
                return .error(412, "PreconditionFailed")
            }
            return ScriptedAnswer(headers: [("ETag", store(request.body, as: request.path, &state))])
        case "GetObject", "HeadObject": return read(request, &state)
        case "DeleteObject":
            state.objects[request.path] = nil
            return ScriptedAnswer(status: 204)
        case "CreateMultipartUpload":
            let id = "upload-\(state.counts["CreateMultipartUpload"] ?? 0)"
            state.uploads[id] = [:]
            return .xml("<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>")
        case "UploadPart":
            guard let id = request.query["uploadId"], state.uploads[id] != nil,
                let number = request.query["partNumber"].flatMap({ Int($0) })
            else { return .error(404, "NoSuchUpload") }
            state.uploads[id]?[number] = request.body
            return ScriptedAnswer(headers: [("ETag", "\"part-\(number)\"")])
        case "CompleteMultipartUpload":
            guard let id = request.query["uploadId"], let parts = state.uploads.removeValue(forKey: id) else {
                return .error(404, "NoSuchUpload")
            }
            var whole = ByteBuffer()
            for (_, part) in parts.sorted(by: { $0.key < $1.key }) { whole.writeImmutableBuffer(part) }
            let tag = store(whole, as: request.path, &state)
            return .xml(
                "<CompleteMultipartUploadResult><ETag>\(tag.replacing("\"", with: "&quot;"))</ETag>"
                    + "</CompleteMultipartUploadResult>")
        case "ListObjectVersions":
            return .xml("<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>")
        case "DeleteObjects":
            let keys = String(buffer: request.body).matches(of: /<Key>(.*?)<\/Key>/).map { String($0.output.1) }
            for key in keys { state.objects["\(request.path)/\(key)"] = nil }
            let deleted = keys.map { "<Deleted><Key>\($0)</Key></Deleted>" }.joined()
            return .xml("<DeleteResult>\(deleted)</DeleteResult>")
        case "AbortMultipartUpload":
            if let id = request.query["uploadId"] { state.uploads[id] = nil }
            return ScriptedAnswer(status: 204)
        default: return ScriptedAnswer()
        }
    }

    private static func store(_ bytes: ByteBuffer, as path: String, _ state: inout State) -> String {
        state.tags += 1
        let digest = state.tagsByDigest ? S3Body.bytes(bytes, .zero).entityTag : nil
        let tag = digest ?? "\"tag-\(state.tags)\""
        state.objects[path] = Object(bytes: bytes, entityTag: tag)
        return tag
    }

    private static func read(_ request: ScriptedRequest, _ state: inout State) -> ScriptedAnswer {
        guard let object = state.objects[request.path] else { return .error(404, "NoSuchKey") }
        if let tag = request.headers.first(name: "If-Match"), tag != object.entityTag {
            return .error(412, "PreconditionFailed")
        }
        let size = object.bytes.readableBytes
        var answer = ScriptedAnswer(headers: [("ETag", object.entityTag)], body: object.bytes)
        answer.announced = size
        guard let text = request.headers.first(name: "Range") else { return answer }
        state.ranges.append(text)
        let ends = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard let first = Int(ends[0]), first < size else { return .error(416, "InvalidRange") }
        let last = min(Int(ends[1]) ?? size - 1, size - 1)
        answer.status = 206
        let part = object.bytes.getSlice(at: object.bytes.readerIndex + first, length: last - first + 1)
        answer.body = part ?? ByteBuffer()
        answer.announced = answer.body.readableBytes
        answer.headers.append(("Content-Range", "bytes \(first)-\(last)/\(size)"))
        return answer
    }
}
