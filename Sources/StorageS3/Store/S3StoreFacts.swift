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
    /// What is written to learn how the service writes: never the identity, which somebody else may be making at this moment.
    static let probe = "store.probe"

    /// How much later than it is written an identity is read, at least, that another one may have overwritten: several times as long as it
    /// takes from finding none to writing one.
    private static let settling = Duration.seconds(2)
    private static let longestSettling = Duration.seconds(20)

    /// Asks the service; writes what the configuration lets it.
    static func learn(
        of bucket: S3Bucket, _ caller: ResilientCaller, _ configuration: S3Configuration
    ) async throws -> S3StoreFacts {
        do {
            // Not the head of the bucket: its refusal would have no body that says why.
            let keepsVersions = try await caller.call("open") { _ in try await Self.keepsVersions(bucket) }
            _ = try await caller.call("open") { _ in try await bucket.names(in: "store/", after: nil, limit: 1) }
            // Kept over all attempts: one whose answer was lost may have made the store.
            let drawn = ByteBuffer(string: "\(Identifier<S3BlobStore>.random())\n")
            let start = ContinuousClock.now
            var present = try await caller.call("open") { _ in try await Self.readIdentity(bucket) }
            let isMissing = present == nil
            guard !isMissing || configuration.createsStore else {
                throw StorageError(.wrongStore, "There is no store in the bucket under this prefix.")
            }
            let hasConditionalPut =
                if configuration.writesProbe {
                    try await caller.call("open") { _ in try await Self.hasConditionalPut(bucket) }
                } else { false }
            if isMissing {
                try await caller.call("open") { attempt in
                    // An attempt before may have had its effect, and somebody else's may have overwritten it.
                    if attempt > 1, try await Self.readIdentity(bucket) != nil { return }
                    _ = try await bucket.put(identity, .digesting(drawn), onlyIfAbsent: hasConditionalPut)
                }
                // Where two who start at the same time may overwrite each other, the later one is right for both.
                if !hasConditionalPut {
                    try await Task.sleep(
                        for: min(max(settling, (ContinuousClock.now - start) * 4), longestSettling))
                }
                present = try await caller.call("open") { _ in try await Self.readIdentity(bucket) }
            }
            guard let present else {
                throw S3Failure.unbelievable("a store.id that was written is not there")
            }
            return S3StoreFacts(
                storeID: present.id, isNew: isMissing && present.bytes == drawn, hasConditionalPut: hasConditionalPut,
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
        case .denied where failure.isAboutToken:
            message = "The S3 service does not take the session token, or not any more (\(code))."
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

    /// Writes something twice on the condition that it is not there.
    ///
    /// Where that is refused, as in a bucket that is full, the store can be read, and cleared, all the same.
    private static func hasConditionalPut(_ bucket: S3Bucket) async throws -> Bool {
        let body = try S3Body.digesting(
            ByteBuffer(string: "Shows whether this service keeps what is there when asked to (If-None-Match).\n"))
        do {
            for _ in 0..<2 {
                if case .present = try await bucket.put(probe, body, onlyIfAbsent: true, isDispensable: true) {
                    return true
                }
            }
            return false
        } catch let error as StorageError where isUnsupported(error) {
            return false
        } catch let error as StorageError where isRefused(error) {
            Logger(label: "storage.s3").notice(
                "nothing can be written into the bucket to learn how; it is taken for one without If-None-Match",
                metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Whether an error says that the service does not know what was asked for.
    private static func isUnsupported(_ error: StorageError) -> Bool {
        guard let failure = error.cause as? S3Failure else { return false }
        return failure.kind == .unsupported || (failure.kind == .other && failure.status == 400)
    }

    /// Whether an error says that nothing may be written, or that there is no room.
    private static func isRefused(_ error: StorageError) -> Bool {
        guard let failure = error.cause as? S3Failure else { return false }
        return failure.kind == .denied || failure.kind == .full
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
