/// What went wrong, in terms of the domain.
///
/// The message is a sentence that a client may see: it names what is wrong and what would be right, never a path of the machine,
/// SQL or an internal name. The cause is for operators only and must never reach a client.
public struct StorageError: Error, Sendable {
    /// A stable name of a kind of failure; new ones are added, none is ever renamed.
    public struct Code: Hashable, Sendable {
        /// The machine-readable name.
        public let name: String

        /// A code of the library's own or of an embedder's store.
        public init(_ name: String) {
            self.name = name
        }
    }

    /// The kind of failure.
    public let code: Code
    /// A sentence for the client.
    public let message: String
    /// Whether the same call may succeed if it is repeated a little later.
    public let isTransient: Bool
    /// How long to wait before the call is repeated, where that is known.
    public let retryAfter: Duration?
    /// What lies beneath; for logs only.
    public let cause: (any Error)?

    /// Describes a failure.
    public init(
        _ code: Code, _ message: String, isTransient: Bool = false, retryAfter: Duration? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.isTransient = isTransient
        self.retryAfter = retryAfter
        self.cause = cause
    }
}

extension StorageError.Code {
    /// A name or path that is not allowed.
    public static let invalidPath = Self("invalid_path")
    /// A file where a folder is needed, or a folder where a file is.
    public static let pathConflict = Self("path_conflict")
    /// Well formed, but a value is not acceptable.
    public static let unprocessable = Self("unprocessable")
    /// Nothing there that this principal may see.
    public static let notFound = Self("not_found")
    /// The target of a move or copy exists and was not to be replaced.
    public static let exists = Self("exists")
    /// A folder that is to be deleted still has entries.
    public static let folderNotEmpty = Self("folder_not_empty")
    /// `If-Match`, `If-None-Match` or `If-Unmodified-Since` does not hold.
    public static let preconditionFailed = Self("precondition_failed")
    /// No credential, or one that is not valid.
    public static let unauthenticated = Self("unauthenticated")
    /// Tried too often; later it may be tried again.
    public static let tooManyRequests = Self("too_many_requests")
    /// A valid principal that may not do this.
    public static let forbidden = Self("forbidden")
    /// The login is in use.
    public static let loginTaken = Self("login_taken")
    /// The body is over the size limit.
    public static let tooLarge = Self("too_large")
    /// The store or the container has no room for it.
    public static let insufficientStorage = Self("insufficient_storage")
    /// A limit of the container leaves no room for it.
    public static let quotaExceeded = Self("quota_exceeded")
    /// A service behind cannot be reached or is overloaded; later it may.
    public static let unavailable = Self("unavailable")
    /// Stored bytes are not what they were.
    public static let corrupt = Self("corrupt")
    /// A key holds other bytes than those that are to be published.
    public static let blobMismatch = Self("blob_mismatch")
    /// The answer to a commit was lost: it may or may not have taken effect.
    public static let outcomeUnknown = Self("outcome_unknown")
    /// A store or database that is not the one that belongs to the other, or cannot be used as it is.
    public static let wrongStore = Self("wrong_store")
    /// A fault of the server.
    public static let `internal` = Self("internal")
}

extension StorageError {
    /// The one refusal for what is not there and for what the principal may not see.
    public static let noSuchFile = StorageError(.notFound, "There is no such file or folder.")

    /// The refusal for a revision that never was, or is not kept any more.
    public static let noSuchRevision = StorageError(.notFound, "The file has no such revision.")

    /// The refusal for a revision whose bytes nobody may be led to any more.
    package static let corruptRevision = StorageError(
        .corrupt, "The bytes of this revision are damaged and cannot be restored.")
}

extension StorageError: CustomStringConvertible {
    /// Code, message and cause: for logs, not for clients.
    public var description: String {
        let beneath = cause.map { " (\($0))" } ?? ""
        return "\(code.name): \(message)\(beneath)"
    }
}
