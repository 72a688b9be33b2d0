import StorageCore

/// Uploads and changes of the tree.
extension ModelSubject {
    mutating func upload(_ operation: ModelOperation) async throws -> String {
        switch operation {
        case .begin(let upload):
            uploads[upload] = Attempt(id: newUpload())
            return "begun"
        case .claim(let upload, let content, let lease):
            let blob = try await claim(upload, content, lease)
            return "\(names.describe(blob.key)) \(blob.isLive ? "live" : "to be written")"
        case .reserve(let upload, let needed, let wanted, let addsFile):
            let account = ModelOperation.account(of: upload)
            let reservation = UploadReservation(
                upload: attempt(upload).id, container: try container(account), needed: needed, wanted: wanted,
                addsFile: addsFile, limits: ModelOperation.defaultLimits(of: account))
            return "\(try await store.reserve(reservation)) granted"
        case .renew(let upload, let lease):
            return "\(try await store.renew(attempt(upload).id, lease: lease.microseconds))"
        case .abandon(let upload):
            try await store.abandon(attempt(upload).id)
            return "abandoned"
        case .commit(let upload, let destination):
            return names.describe(noting(try await store.commit(try put(attempt(upload), destination))))
        case .put(let upload, let content, let destination):
            uploads[upload] = Attempt(id: newUpload())
            _ = try await claim(upload, content, .long)
            return names.describe(noting(try await store.commit(try put(attempt(upload), destination))))
        default:
            return ""
        }
    }

    /// The upload of this number; begun now where it was not.
    private mutating func attempt(_ upload: Int) -> Attempt {
        let attempt = uploads[upload] ?? Attempt(id: newUpload())
        uploads[upload] = attempt
        return attempt
    }

    private mutating func claim(
        _ upload: Int, _ content: Int, _ lease: ModelOperation.Span
    ) async throws -> ClaimedBlob {
        let account = ModelOperation.account(of: upload)
        let container = try self.account(account).container
        let claim = UploadClaim(
            upload: attempt(upload).id, container: container.id, space: container.space, digest: digest(of: content),
            size: ModelOperation.size(of: content), lease: lease.microseconds)
        let blob = try await store.claim(claim)
        uploads[upload]?.blob = blob.id
        keys[ContentOf(account: account, content: content)] = blob.key
        // Named now: later it may come in a list without an order.
        _ = names.describe(blob.key)
        return blob
    }

    private func put(_ attempt: Attempt, _ destination: ModelOperation.Destination) throws -> FileChange {
        .put(
            FileChange.Put(
                upload: attempt.id, blob: attempt.blob ?? BlobID(high: 0, low: 0),
                container: try container(destination.account), path: destination.path,
                mediaType: destination.mediaType == 0 ? .octetStream : .ofName(Array("a.txt".utf8)),
                sentName: destination.sentName, kind: destination.kind,
                precondition: precondition(destination.condition, destination.account, destination.path),
                link: destination.link.map(link), keepRevisions: destination.keep,
                limits: ModelOperation.defaultLimits(of: destination.account)))
    }

    func change(_ operation: ModelOperation) throws -> FileChange {
        switch operation {
        case .delete(let place, let condition):
            .delete(try selector(place), precondition(condition, place.account, place.path))
        case .deleteTree(let account, let path, let limit): .deleteTree(try container(account), path, limit: limit)
        case .move(let place, let target): .move(try relocation(place, target))
        case .copy(let place, let target): .copy(try relocation(place, target))
        case .makeFolder(let account, let path): .makeFolder(try container(account), path)
        default: throw StorageError(.internal, "This changes no tree.")
        }
    }

    private func relocation(
        _ place: ModelOperation.Place, _ target: ModelOperation.Target
    ) throws -> FileChange.Relocation {
        FileChange.Relocation(
            source: try selector(place), target: target.path, kind: target.kind, overwrite: target.overwrite,
            precondition: precondition(target.condition, place.account, place.path), keepRevisions: target.keep,
            limits: ModelOperation.defaultLimits(of: place.account))
    }
}
