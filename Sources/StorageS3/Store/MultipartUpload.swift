import Logging
import StorageCore

/// One upload in parts: several at once, from a body that is in the spool.
///
/// Whatever it fails with, the parts that were sent are given back; what a process leaves that ends before that is swept later.
struct MultipartUpload {
    /// The service has forgotten the upload, or does not know one of its parts: it has to begin anew.
    struct Lost: Error {
        let error: StorageError
    }

    private let staged: StagedBlob
    private let name: String
    private let store: S3BlobStore
    private let partSize: Int64

    private static let mostParts: Int64 = 10_000

    init(_ staged: StagedBlob, as name: String, in store: S3BlobStore) {
        self.staged = staged
        self.name = name
        self.store = store
        let least = (staged.size + Self.mostParts - 1) / Self.mostParts
        partSize = max(store.configuration.partSize, least, 1)
    }

    /// Sends the parts and puts them together.
    func run() async throws {
        let id = try await store.caller.call("create-upload") { _ in try await store.bucket.createUpload(name) }
        do {
            try await complete(id, parts: try await sendParts(of: id))
        } catch {
            await abort(id)
            throw error
        }
    }

    /// The entity tags of all parts, in their order.
    private func sendParts(of id: String) async throws -> [String] {
        let count = Int((staged.size + partSize - 1) / partSize)
        return try await withThrowingTaskGroup(of: (Int, String).self) { group in
            var tags = [String](repeating: "", count: count)
            var next = 0
            func start() {
                guard next < count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await send(index, of: id)) }
            }
            for _ in 0..<max(1, store.configuration.parallelParts) { start() }
            while let (index, tag) = try await group.next() {
                tags[index] = tag
                start()
            }
            return tags
        }
    }

    private func send(_ index: Int, of id: String) async throws -> String {
        let start = Int64(index) * partSize
        let body = try await store.spool.body(of: staged, start..<min(start + partSize, staged.size))
        return try await rethrowingLost {
            try await store.caller.call("upload-part", lasting: S3Client.duration(ofSending: body.length)) { _ in
                try await store.bucket.putPart(index + 1, of: id, name, body)
            }
        }
    }

    private func complete(_ id: String, parts: [String]) async throws {
        let duration = S3Client.duration(ofJoining: staged.size, parts: parts.count)
        try await rethrowingLost {
            try await store.caller.call("complete-upload", lasting: duration) { attempt in
                // The answer of an attempt that had its effect may have been lost: then the upload is not known any more.
                if attempt > 1, try await store.isThere(name, size: staged.size) { return }
                do {
                    let entityTag = try await store.bucket.completeUpload(
                        id, name, parts: parts, within: duration)
                    try await store.confirm(name, size: staged.size, entityTag: entityTag)
                } catch let error as StorageError where Self.isLost(error) {
                    guard try await store.isThere(name, size: staged.size) else { throw error }
                }
            }
        }
    }

    private func rethrowingLost<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as StorageError where Self.isLost(error) {
            throw Lost(error: error)
        }
    }

    private static func isLost(_ error: StorageError) -> Bool {
        switch (error.cause as? S3Failure)?.code {
        case "NoSuchUpload", "InvalidPart", "InvalidPartOrder": true
        default: false
        }
    }

    /// Also when the task was cancelled: what is not given back costs money until it is swept.
    private func abort(_ id: String) async {
        do {
            try await store.bucket.abortUpload(id, name)
        } catch {
            Logger(label: "storage.s3").notice(
                "an upload in parts was not given back; it will be swept",
                metadata: ["key": "\(name)", "error": "\(error)"])
        }
    }
}
