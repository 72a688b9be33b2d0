public import NIOCore

/// Keeps everything but the bytes: accounts, files, revisions, and the states of blobs.
///
/// # Behavior
///
/// - One method is one transaction: all or nothing, values in and values out, and no transaction is open while anything else is
///   waited for.
/// - A method that changes something returns only after the change is durable, ``claim(_:)`` excepted.
/// - Ages and leases are compared with the store's own clock, never the caller's.
/// - A revision refers only to a blob that was live, whole and durable when the reference was made, checked in the transaction
///   that makes it.
/// - What one container holds must not make calls for another slower, and no call but a listing grows with the number of files; those
///   that walk through a container go a stretch at a time.
/// - Every failure is a ``StorageError``. Absence is a value where it is asked for, ``StorageError/Code/notFound`` where it
///   is taken for granted.
public protocol MetadataStore: Sendable {
    /// Grants the right to write a blob's key, and makes the row of the upload.
    ///
    /// Finds the live or pending life of the digest in its space, or begins a new one: generation 0 only if the digest never had a
    /// row in this space, a random one otherwise. The claim of a pending life is prolonged, never trusted: its bytes must be
    /// written by every upload that wants them.
    func claim(_ claim: UploadClaim) async throws -> ClaimedBlob

    /// Sets room aside for an upload in a container that has a limit, and makes the row of the upload.
    ///
    /// Asked again for the same upload, replaces what was set aside before. The bytes of older revisions count as free: they give
    /// way in the commit, which also gives back what was set aside. Where no limit is in force, grants everything and sets aside
    /// nothing. Need not be durable.
    ///
    /// - Returns: The bytes that may come: what is wanted, or what there is room for, but never less than needed.
    /// - Throws: ``StorageError/Code/quotaExceeded``; ``StorageError/Code/notFound`` for a container that is closed.
    func reserve(_ reservation: UploadReservation) async throws -> Int64

    /// Tells that an upload is still under way and prolongs its claim, if it has one; false when the blob may no longer be
    /// written, or when the upload was given up or committed.
    func renew(_ upload: UploadID, lease: Int64) async throws -> Bool

    /// Gives up an upload that was not committed, with the room set aside for it; one that is unknown is fine.
    func abandon(_ upload: UploadID) async throws

    /// Whether an upload took effect; waits for a commit of it that is still under way.
    func outcome(of upload: UploadID) async throws -> UploadOutcome

    /// Makes a change to files.
    ///
    /// A commit whose answer was lost throws ``StorageError/Code/outcomeUnknown``. Refuses to put an upload into another container
    /// than it was claimed for, committed already or not.
    func commit(_ change: FileChange) async throws -> FileChangeResult

    /// The file or folder that is meant; nil when there is none.
    func file(_ selector: FileSelector) async throws -> FileRecord?

    /// What ``file(_:)`` would answer at this moment, where that is known without waiting for anybody; nil says nothing.
    ///
    /// Must never be older than the last change that anybody, in any process, was told of. A store in front of another
    /// passes it on, or has nothing answered from memory.
    func recall(_ selector: FileSelector) -> FileRecord?

    /// What ``file(_:)`` would answer, for a caller without a task; nil where the store has no such way.
    func file(_ selector: FileSelector, on eventLoop: any EventLoop) -> EventLoopFuture<FileRecord?>?

    /// One page of a container's entries.
    func list(_ query: ListQuery) async throws -> Page<FileRecord>

    /// One stretch of the files of a container whose names are as asked for.
    ///
    /// Has at most as many files as the query wants, and ends at the latest behind as many entries as it allows to look at: each
    /// costs a step through the index of the paths, and what is found a look-up more. May end earlier, but never where it began.
    func search(_ query: SearchQuery) async throws -> Stretch<FileRecord>

    /// One stretch of what the folders at the root of a container hold, in byte order: at most `limit` entries, folders included, are
    /// counted, those behind the given path. A folder of which more lies on another stretch is on both; one without files is on the
    /// stretch that it lies on itself.
    func folderUsage(of container: ContainerID, after: FilePath?, limit: Int) async throws -> Stretch<FolderUsage>

    /// At most `limit` of the revisions that are kept of a file, the newest first and the current one among them, each as
    /// ``FileSelector/revision(_:_:_:)`` finds it; nil where there is no such entry, none for a folder.
    func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord]?

    /// What a container holds; nothing for one that is gone.
    func usage(of container: ContainerID) async throws -> Usage

    /// The account that is meant; nil when there is none.
    func account(_ selector: AccountSelector) async throws -> AccountRecord?

    /// Whether there was a credential of this digest that has ended: that is revoked, expired or was idle for too long, or whose
    /// account is closed. False for one that never was.
    func hasEnded(_ digest: TokenDigest) async throws -> Bool

    /// At most `limit` accounts with a serial above the given one, in that order.
    func accounts(after serial: Int64, limit: Int) async throws -> [Account]

    /// Makes a change to accounts.
    func change(_ change: AccountChange) async throws -> AccountChangeResult

    /// The credentials of an account that have not ended, in the order of their ids, from behind the given one.
    func credentials(of account: AccountID, after: CredentialID?, limit: Int) async throws -> [StoredCredential]

    /// Authorises the deletion of blobs that nothing refers to.
    ///
    /// Two sorts qualify: live ones released for longer than the grace period, and pending ones whose claim ended. Of these, those
    /// that are referred to after all are kept. Also returns those doomed for longer than `retry` whose deletion nobody
    /// reported. Empty only when nothing qualifies any more. Durations in microseconds.
    func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord]

    /// Notes what became of blobs.
    func settle(_ settlement: BlobSettlement) async throws

    /// Does one bounded piece of housekeeping; returns whether there is more to do.
    func tidy(_ chore: Chore) async throws -> Bool

    /// Records an act.
    func audit(_ entry: AuditEntry) async throws

    /// Remembers a setting unless it has a value already; returns the value in force.
    func setting(_ name: String, default value: String?) async throws -> String?

    /// The selected blobs in all states, tombstones included.
    func inspectBlobs(_ selection: BlobSelection) async throws -> [BlobInspection]

    /// One page of all containers in the order of their ids, from behind the given one; counts every file of each.
    func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection]

    /// Answers after one round trip to the database.
    func ping() async throws
}

extension MetadataStore {
    /// Remembers nothing.
    public func recall(_ selector: FileSelector) -> FileRecord? { nil }

    /// Says that there is no such way.
    public func file(_ selector: FileSelector, on eventLoop: any EventLoop) -> EventLoopFuture<FileRecord?>? { nil }
}

/// What became of blobs.
public enum BlobSettlement: Hashable, Sendable {
    /// Doomed blobs whose bytes are deleted for good.
    case gone([BlobID])
    /// A pending or live blob whose bytes are missing or wrong: never to be served or referred to again.
    case corrupt(BlobKey)
    /// A doomed or gone blob whose key an upload has written all the same, because it had claimed the blob before: its bytes are to
    /// be deleted, also when they were deleted already. It is handed out by the next ``MetadataStore/doom(grace:retry:limit:)``
    /// after the deletion under way, if there is one, was reported.
    case writtenLate(BlobKey)
}

/// Pieces of housekeeping. Durations are microseconds by the store's clock.
public enum Chore: Hashable, Sendable {
    /// Adds up the usage of containers without a limit.
    case foldUsage
    /// Gives back the room set aside for uploads that gave no sign of life for longer than `silent`; removes uploads that were
    /// given up, or left alone for longer than `abandoned`, and committed ones older than `kept`.
    case sweepUploads(silent: Int64, abandoned: Int64, kept: Int64)
    /// Removes credentials that have ended.
    case sweepCredentials
    /// Removes what closed accounts still have: first files, then the container, in the end the account. Only the revoked token of a
    /// token account stays, so that it never opens another container; and no serial is ever given again.
    case removeClosedAccounts
    /// Removes tombstones of later generations older than this.
    case sweepTombstones(age: Int64)
    /// Adds to what older versions wrote what this version keeps beside it; it is read right without, but slower.
    case backfill
}
