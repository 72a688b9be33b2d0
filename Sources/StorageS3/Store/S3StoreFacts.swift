import Logging
import NIOCore
import StorageCore

/// What a store has to know of its bucket before it can be used: found out when it is opened, never assumed.
struct S3StoreFacts: Sendable {
    /// The UUID in the object `store.id`.
    let storeID: String
    /// Whether that object was made just now.
    let isNew: Bool
    /// Whether the service writes nothing where `If-None-Match: *` does not hold, instead of not caring, or of refusing it.
    let hasConditionalPut: Bool
    /// Whether a deletion only hides what it deletes.
    let keepsVersions: Bool

    static let identity = "store.id"

    /// Asks the service.
    static func learn(
        of bucket: S3Bucket, _ caller: ResilientCaller, createsStore: Bool
    ) async throws -> S3StoreFacts {
        do {
            // Not the head of the bucket: its refusal would have no body that says why.
            let keepsVersions = try await caller.call("open") { _ in try await Self.keepsVersions(bucket) }
            _ = try await caller.call("open") { _ in try await bucket.names(in: "store/", after: nil, limit: 1) }
            // Kept over all attempts: one whose answer was lost may have made the store.
            let drawn = ByteBuffer(string: "\(Identifier<S3BlobStore>.random())\n")
            var isMissing = false
            var present = try await caller.call("open") { _ in try await Self.readIdentity(bucket) }
            if present == nil {
                guard createsStore else {
                    throw StorageError(.wrongStore, "There is no store in the bucket under this prefix.")
                }
                isMissing = true
                try await caller.call("open") { _ in try await Self.makeIdentity(bucket, drawn) }
                present = try await caller.call("open") { _ in try await Self.readIdentity(bucket) }
            }
            guard var identity = present else {
                throw S3Failure.unbelievable("a store.id that was written is not there")
            }
            let probed = identity.bytes
            let hasConditionalPut = try await caller.call("open") { _ in
                try await Self.hasConditionalPut(bucket, probed)
            }
            // Where two who start at the same time may overwrite each other, the later one is right.
            if isMissing, !hasConditionalPut,
                let latest = try await caller.call("open", { _ in try await Self.readIdentity(bucket) })
            {
                identity = latest
            }
            return S3StoreFacts(
                storeID: identity.id, isNew: isMissing && identity.bytes == drawn, hasConditionalPut: hasConditionalPut,
                keepsVersions: keepsVersions)
        } catch let error as StorageError {
            throw refusal(error, bucket)
        }
    }

    /// What no repetition makes good is somebody's mistake in the settings.
    static func refusal(_ error: StorageError, _ bucket: S3Bucket) -> StorageError {
        guard let failure = error.cause as? S3Failure else { return error }
        let code = failure.code ?? "status \(failure.status)"
        let message: String
        switch failure.kind {
        case .passing, .full: return error
        case .skewed:
            message = "The S3 service refuses requests because its clock and this machine's disagree (\(code))."
        case .denied where failure.code == "AccessDenied":
            message = "The S3 service does not let this access key use the bucket (\(code))."
        case .denied: message = "The S3 service refuses the access key, its secret or both (\(code))."
        case .noBucket where !bucket.client.usesPathStyle:
            message =
                "There is no such bucket (\(code)), or the service does not know that the host's name begins with it: then"
                + " s3.path-style=true would be right."
        case .noBucket: message = "There is no such bucket (\(code))."
        case .elsewhere:
            let place = failure.region.map { "in \($0): region and endpoint must be of there" }
            let said = failure.message.map { ": \($0)" } ?? ""
            message = "The bucket is \(place ?? "in another region or behind another endpoint") (\(code)\(said))."
        case .unsupported, .other: message = "The S3 service cannot be used as a store (\(code))."
        }
        case .denied where failure.isAboutToken:
            message = "The S3 service does not take the session token, or not any more (\(code))."
        return StorageError(.wrongStore, message, cause: failure)
    }

    private static func readIdentity(_ bucket: S3Bucket) async throws -> (id: String, bytes: ByteBuffer)? {
        guard let answer = try await bucket.get(identity) else { return nil }
        let bytes = try await answer.collect(upTo: 4_096)
        let text = bytes.readableBytesView
        guard let id = Identifier<S3BlobStore>(text: text.last == UInt8(ascii: "\n") ? text.dropLast() : text) else {
            throw StorageError(.wrongStore, "The object store.id in the bucket does not hold a UUID.")
        }
        return (id.description, bytes)
    }

    /// Writes a new identity where there is none.
    private static func makeIdentity(_ bucket: S3Bucket, _ text: ByteBuffer) async throws {
        do {
            _ = try await bucket.put(identity, .digesting(text), onlyIfAbsent: true)
        } catch let error as StorageError where isUnsupported(error) {
            _ = try await bucket.put(identity, .digesting(text), onlyIfAbsent: false)
        }
    }

    /// Writes the identity again, with the same bytes, on the condition that it is not there.
    private static func hasConditionalPut(_ bucket: S3Bucket, _ bytes: ByteBuffer) async throws -> Bool {
        do {
            guard case .present = try await bucket.put(identity, .digesting(bytes), onlyIfAbsent: true) else {
                return false
            }
            return true
        } catch let error as StorageError where isUnsupported(error) {
            return false
        }
    }

    /// Whether an error says that the service does not know what was asked for.
    private static func isUnsupported(_ error: StorageError) -> Bool {
        guard let failure = error.cause as? S3Failure else { return false }
        return failure.kind == .unsupported || (failure.kind == .other && failure.status == 400)
    }

    private static func keepsVersions(_ bucket: S3Bucket) async throws -> Bool {
        do {
            return try await bucket.keepsVersions()
        } catch let error as StorageError where isUnsupported(error) || isDenied(error) {
            Logger(label: "storage.s3").notice(
                "whether the bucket keeps versions cannot be asked; it is taken for one that keeps none",
                metadata: ["error": "\(error)"])
            return false
        } catch let error as StorageError {
            // A start that fails for it ends at once; a store that is in use waits for the certificate to be renewed.
            guard let complaint = (error.cause as? S3Distrust)?.complaint else { throw error }
            throw StorageError(.wrongStore, complaint, cause: error.cause)
        }
    }

    /// Not allowed to ask, with credentials that are good.
    private static func isDenied(_ error: StorageError) -> Bool {
        (error.cause as? S3Failure)?.code == "AccessDenied"
    }
}
