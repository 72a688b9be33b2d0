/// The rules of the protocol. Each is here because something goes wrong without it, which the tests demand to see.
struct Guards: OptionSet, Hashable {
    let rawValue: UInt16

    /// The row of a life is made before its bytes are written; else nobody knows of bytes whose writer died.
    static let rowBeforeBytes = Guards(rawValue: 1 << 0)
    /// The pending life of another upload is written all the same; else bytes are referred to that nobody wrote.
    static let writesDespitePending = Guards(rawValue: 1 << 1)
    /// A commit comes after its bytes are known to be in the store, not only sent.
    static let bytesBeforeCommit = Guards(rawValue: 1 << 2)
    /// The commit itself checks that the life is still pending or live; what the claim saw may be long ago.
    static let recheckInCommit = Guards(rawValue: 1 << 3)
    /// A content that had a life before gets a generation that never was, whatever became of the others.
    static let newGenerations = Guards(rawValue: 1 << 4)
    /// The row of generation 0 stays for ever; else generation 0 seems never to have been.
    static let tombstones = Guards(rawValue: 1 << 5)
    /// A transaction that removes a revision with its file says so on the blob; else no collector looks at it.
    static let releaseOnDelete = Guards(rawValue: 1 << 6)
    /// Likewise for a revision that an overwrite supersedes and does not keep.
    static let releaseOnPrune = Guards(rawValue: 1 << 7)
    /// Whether a life is referred to is asked under the lock on its row, in a statement of its own: an answer that was
    /// computed before the lock was had may be older than a reference.
    static let freshLookInDoom = Guards(rawValue: 1 << 8)
    /// A deletion is authorised by a committed state before it is sent; else a commit refers to what is being deleted.
    static let doomBeforeDelete = Guards(rawValue: 1 << 9)
    /// The tombstone is set after the deletion is known to have happened; else bytes stay whose collector died.
    static let deleteBeforeTombstone = Guards(rawValue: 1 << 10)
    /// What was doomed and not reported deleted is handed out again; else bytes stay whose collector died.
    static let retryOfDoomed = Guards(rawValue: 1 << 11)
    /// A pending life is not doomed while an upload that claimed it is alive or its PUT may land: leases are renewed, and long.
    static let lease = Guards(rawValue: 1 << 12)
    /// A released life is not doomed while a PUT to it that was begun when it was pending may land.
    static let grace = Guards(rawValue: 1 << 13)

    /// The protocol as it is.
    static let all = Guards(rawValue: 1 << 14 - 1)
    /// Promises that a process which is stopped for long enough breaks.
    static let timing: Guards = [.lease, .grace]
}
