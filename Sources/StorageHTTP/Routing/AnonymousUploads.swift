/// Whether files are stored for those who send no credentials, in the dialect that knows no accounts.
///
/// They belong to the built-in account. A wrong credential is always refused.
public enum AnonymousUploads: String, Sendable, CaseIterable {
    /// For a peer on this machine whose request carries no field of a proxy: behind one, everybody seems to be on this machine.
    case auto
    /// For everybody.
    case on
    /// For nobody.
    case off
}
