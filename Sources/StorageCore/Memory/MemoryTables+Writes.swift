/// Changes that make entries: put, make a folder, copy.
extension MemoryTables {
    /// What a revision is made of.
    struct Version {
        let blob: BlobRow
        let mediaType: MediaType
        let sentName: String?
        let kind: FileKind

        /// Names are compared as bytes: text would take the composed and decomposed form for the same.
        func isSame(as row: RevisionRow) -> Bool {
            row.blob == blob.id && row.mediaType == mediaType
                && row.sentName.map { Array($0.utf8) } == sentName.map { Array($0.utf8) }
        }
    }

    /// What stands where a file is to be, and which folders above it are missing.
    struct Place {
        let missing: [FilePath]
        let file: FileRow?
        let emptyFolder: FileRow?
    }

    mutating func put(_ put: FileChange.Put) throws -> FileChangeResult {
        guard let upload = uploads[put.upload] else { return .blobLost }
        guard upload.container == put.container else { throw StorageError.uploadOfAnotherContainer }
        if let made = upload.made { return result(of: made) }
        guard !upload.isAbandoned else { return .blobLost }
        let place = try place(for: put.path, in: put.container)
        try put.precondition.check(place.file.map { record($0) })
        guard let blob = blobs[put.blob] else { return .blobLost }
        let version = Version(blob: blob, mediaType: put.mediaType, sentName: put.sentName, kind: put.kind)
        let reserved = upload.reserved
        release(of: put.upload)
        let result: FileChangeResult
        do {
            result = try write(
                version, at: put.path, in: put.container, place, link: put.link, keepRevisions: put.keepRevisions,
                limits: put.limits)
        } catch {
            uploads[put.upload]?.reserved = reserved
            containers[put.container]?.reserved += reserved
            guard !(error is BlobLost) else { return .blobLost }
            throw error
        }
        uploads[put.upload]?.committedAt = now
        uploads[put.upload]?.made = result.record.map { MadeFile(file: $0.id, isNew: place.file == nil) }
        return result
    }

    /// What a committed upload made, as it is now.
    func result(of made: MadeFile) -> FileChangeResult {
        guard let file = files[made.file] else { return .deleted(remaining: 0) }
        return made.isNew ? .created(record(file)) : .updated(record(file))
    }

    /// The blob may no longer be referred to.
    private struct BlobLost: Error {}

    mutating func makeFolder(_ path: FilePath, in container: ContainerID) throws -> FileChangeResult {
        let missing = try missingAncestors(of: path, in: container)
        if let present = row(at: path, in: container) {
            guard present.isFolder else { throw Self.pathConflict("A file has the path of the folder.") }
            return .updated(record(present))
        }
        makeFolders(missing, in: container)
        // On its own line: inside the call of `record` the tables would be shared, and the insertion copied them.
        let folder = insert(path, in: container, kind: .other)
        return .created(record(folder))
    }

    mutating func copy(_ relocation: FileChange.Relocation) throws -> FileChangeResult {
        let source = try existing(relocation.source)
        _ = try container(source.container)
        guard let current = source.revisions.last.flatMap({ revisions[$0] }), let blob = blobs[current.blob] else {
            throw StorageError(.unprocessable, "from: must be a file.")
        }
        try relocation.precondition.check(record(source))
        guard relocation.target != source.path else { return .updated(record(source)) }
        let place = try place(for: relocation.target, in: source.container)
        guard place.file == nil || relocation.overwrite else { throw Self.exists }
        // Before the limit is looked at: nothing makes room for bytes that are damaged.
        guard blob.isUsable else { throw Self.corruptSource }
        let version = Version(
            blob: blob, mediaType: current.mediaType, sentName: current.sentName, kind: relocation.kind ?? source.kind)
        return try write(
            version, at: relocation.target, in: source.container, place, link: nil,
            keepRevisions: relocation.keepRevisions, limits: relocation.limits)
    }

    mutating func restore(_ restoration: FileChange.Restoration) throws -> FileChangeResult {
        _ = try container(restoration.container)
        let file = try existing(.id(restoration.container, restoration.file))
        guard file.revisions.contains(restoration.revision), let old = revisions[restoration.revision],
            let blob = blobs[old.blob]
        else { throw StorageError.noSuchRevision }
        try restoration.precondition.check(record(file))
        guard file.revisions.last != old.id else { return .updated(record(file)) }
        guard blob.isUsable else { throw StorageError.corruptRevision }
        let version = Version(
            blob: blob, mediaType: old.mediaType, sentName: old.sentName,
            kind: FileKind(name: file.path.name, mediaType: old.mediaType))
        return try write(
            version, at: file.path, in: file.container, Place(missing: [], file: file, emptyFolder: nil), link: nil,
            keepRevisions: restoration.keepRevisions, limits: restoration.limits)
    }

    private static let corruptSource = StorageError(
        .corrupt, "The bytes of the file are damaged and cannot be copied.")

    static var exists: StorageError { StorageError(.exists, "There is something at the target path already.") }

    static func pathConflict(_ message: String) -> StorageError { StorageError(.pathConflict, message) }

    /// The folders above a path that do not exist yet, the outermost first.
    func missingAncestors(of path: FilePath, in container: ContainerID) throws -> [FilePath] {
        _ = try self.container(container)
        return try path.ancestors.filter { ancestor in
            guard let row = row(at: ancestor, in: container) else { return true }
            guard row.isFolder else { throw Self.pathConflict("A file has the path of a folder above.") }
            return false
        }
    }

    private func place(for path: FilePath, in container: ContainerID) throws -> Place {
        let missing = try missingAncestors(of: path, in: container)
        let row = row(at: path, in: container)
        guard row?.isFolder == true else { return Place(missing: missing, file: row, emptyFolder: nil) }
        guard paths(below: path, in: container).isEmpty else {
            throw Self.pathConflict("A folder that is not empty has the path of the file.")
        }
        return Place(missing: missing, file: nil, emptyFolder: row)
    }

    mutating func makeFolders(_ paths: [FilePath], in container: ContainerID) {
        for path in paths { _ = insert(path, in: container, kind: .other) }
    }

    private mutating func insert(_ path: FilePath, in container: ContainerID, kind: FileKind) -> FileRow {
        let row = FileRow(id: FileID(), container: container, path: path, kind: kind, createdAt: now, modifiedAt: now)
        files[row.id] = row
        containers[container]?.entries[path] = row.id
        return row
    }

    /// Makes a version current at a place that was checked.
    private mutating func write(
        _ version: Version, at path: FilePath, in container: ContainerID, _ place: Place, link: Link?,
        keepRevisions: Int, limits: ContainerLimits
    ) throws -> FileChangeResult {
        if let file = place.file, let current = file.revisions.last.flatMap({ revisions[$0] }),
            version.isSame(as: current)
        {
            try revive(version.blob)
            if let link { publish(current.id, as: link, in: container) }
            return .updated(record(file))
        }
        let pruned = try revisionsToPrune(
            for: version, over: place.file, in: container, keepRevisions: keepRevisions, limits: limits)
        try revive(version.blob)
        makeFolders(place.missing, in: container)
        if let folder = place.emptyFolder { remove(folder) }
        var file = place.file ?? insert(path, in: container, kind: version.kind)
        let replaced = file.revisions.last.flatMap { revisions[$0] }
        let revision = RevisionRow(
            id: RevisionID(), file: file.id, blob: version.blob.id, size: version.blob.size,
            mediaType: version.mediaType,
            sentName: version.sentName, createdAt: now)
        revisions[revision.id] = revision
        blobs[version.blob.id]?.references.insert(revision.id)
        file.revisions.append(revision.id)
        file.kind = version.kind
        file.modifiedAt = now
        account(for: revision.size, replacing: replaced?.size, in: container)
        if let link { publish(revision.id, as: link, in: container) }
        if let replaced {
            dropLinks(of: replaced.id)
            revisions[replaced.id]?.supersededAt = now
        }
        files[file.id] = file
        for revision in pruned { prune(revision, in: container) }
        file = files[file.id] ?? file
        return place.file == nil ? .created(record(file)) : .updated(record(file))
    }

    /// The revisions of the file beyond those that are kept, and those of the container that give way.
    private func revisionsToPrune(
        for version: Version, over file: FileRow?, in container: ContainerID, keepRevisions: Int,
        limits: ContainerLimits
    ) throws -> [RevisionID] {
        let replaced = file?.revisions.last.flatMap { revisions[$0] }
        let surplus = Array((file?.revisions ?? []).dropLast(max(keepRevisions, 0)))
        let change = Usage(
            bytes: version.blob.size - (replaced?.size ?? 0), files: file == nil ? 1 : 0,
            revisionBytes: (replaced?.size ?? 0) - surplus.reduce(0) { $0 + (revisions[$1]?.size ?? 0) })
        let givingWay = try revisionsGivingWay(
            to: change, in: container, defaults: limits, going: Set(surplus), replaced: replaced)
        return surplus + givingWay
    }

    /// Takes an older revision out of its file.
    private mutating func prune(_ id: RevisionID, in container: ContainerID) {
        guard let row = revisions[id] else { return }
        files[row.file]?.revisions.removeAll { $0 == id }
        containers[container]?.usage.revisionBytes -= row.size
        remove(id)
    }

    /// The blob becomes or stays live, and every revision of a damaged life of the same bytes gets it.
    private mutating func revive(_ blob: BlobRow) throws {
        guard blob.isUsable else { throw BlobLost() }
        if blob.state == .pending { blobs[blob.id]?.stateAt = now }
        blobs[blob.id]?.state = .live
        blobs[blob.id]?.releasedAt = nil
        blobs[blob.id]?.claimedUntil = nil
        for life in lives[Content(space: blob.key.space, digest: blob.key.digest), default: []] {
            guard let damaged = blobs[life], damaged.state == .corrupt else { continue }
            for revision in damaged.references { revisions[revision]?.blob = blob.id }
            blobs[blob.id]?.references.formUnion(damaged.references)
            blobs[life]?.references = []
        }
    }

    private mutating func account(for size: Int64, replacing replaced: Int64?, in container: ContainerID) {
        containers[container]?.usage.bytes += size - (replaced ?? 0)
        containers[container]?.usage.files += replaced == nil ? 1 : 0
        containers[container]?.usage.revisionBytes += replaced ?? 0
    }

    /// Publishes a revision; another one of the same container takes its place and its age.
    private mutating func publish(_ revision: RevisionID, as link: Link, in container: ContainerID) {
        var publications = links[link, default: []]
        if let index = publications.firstIndex(where: { $0.container == container }) {
            revisions[publications[index].revision]?.links.remove(link)
            publications[index] = Publication(container: container, revision: revision)
        } else {
            publications.append(Publication(container: container, revision: revision))
        }
        links[link] = publications
        revisions[revision]?.links.insert(link)
    }
}
