/// Which account is meant.
public enum AccountSelector: Hashable, Sendable {
    /// The account with this id.
    case id(AccountID)
    /// The account with exactly this login.
    case login(Login)
    /// The account of a credential that is neither expired nor idle for too long nor revoked, by the database's clock.
    case credential(TokenDigest)
}

/// An account with what is needed to check who presents it; never to be shown.
public struct AccountRecord: Hashable, Sendable {
    /// The account.
    public let account: Account
    /// The PHC string of the password; nil where nobody can sign in.
    public let passwordHash: String?
    /// The credential that it was found by.
    public let credential: StoredCredential?
    /// The database's clock when the record was read.
    public let readAt: Timestamp

    /// Describes an account.
    public init(account: Account, passwordHash: String?, credential: StoredCredential?, readAt: Timestamp) {
        self.account = account
        self.passwordHash = passwordHash
        self.credential = credential
        self.readAt = readAt
    }
}

/// One change to accounts and credentials, made in one durable transaction.
public enum AccountChange: Hashable, Sendable {
    /// Makes a registered account with its container.
    ///
    /// - Throws: ``StorageError/Code/loginTaken``.
    case register(login: Login, email: String?, passwordHash: String, role: Account.Role, ownSpace: Bool)
    /// Finds the account of a container token, or makes it with its container.
    case openContainer(TokenDigest, ownSpace: Bool)
    /// Adds a credential that ends at the latest after `lifetime`, and before when it is not used for `idle`; microseconds.
    case addCredential(
        AccountID, TokenDigest, kind: StoredCredential.Kind, label: String?, lifetime: Int64?, idle: Int64?)
    /// Notes that a credential was used: moves the end of its idle time, or takes it away with nil; microseconds. One that has ended
    /// stays as it is.
    case touchCredential(CredentialID, idle: Int64?)
    /// Ends a credential of the account; one that has ended is fine. The result names it if it ended now.
    case revokeCredential(AccountID, CredentialID)
    /// Ends all credentials of the account but one.
    case revokeCredentials(AccountID, except: CredentialID?)
    /// Replaces the hash of the password, where `replacing` is given only as long as it is the one in force; and ends credentials
    /// that came of the old password.
    case setPassword(AccountID, passwordHash: String, replacing: String?, ending: EndedCredentials = .none)
    /// Switches an account off or on again.
    case setDisabled(AccountID, Bool)
    /// Sets what its container may hold; one below what it holds already only keeps it from growing.
    case setLimits(AccountID, ContainerLimits)
    /// Closes an account for good: its credentials end, its container takes no more changes, its public names lead nowhere, its
    /// login is free, and no question for accounts finds it. ``Chore/removeClosedAccounts`` removes what is left.
    case close(AccountID)
    /// Finds the built-in account ``Login/public``, or makes it with its container. It has no password and takes none, so that
    /// nobody can sign in to it.
    case openPublic(ownSpace: Bool)

    /// The credentials of an account that a change ends.
    public enum EndedCredentials: Hashable, Sendable {
        /// None: the password stays what it is, and is only hashed anew.
        case none
        /// All, or all but one.
        case all(except: CredentialID?)
    }
}

/// What a change of accounts left behind.
public struct AccountChangeResult: Hashable, Sendable {
    /// The account as it is now; nil when there is none of that id, or it was not as the change demands.
    public let account: Account?
    /// The credential that was made, used or ended.
    public let credential: CredentialID?

    /// Describes what is there now.
    public init(account: Account?, credential: CredentialID? = nil) {
        self.account = account
        self.credential = credential
    }
}

/// One line of the record of who did what.
public struct AuditEntry: Hashable, Sendable {
    /// Who; nil for somebody unknown.
    public let account: AccountID?
    /// What was done, as a stable name such as `sign_in`.
    public let act: String
    /// What it was done to.
    public let subject: String?
    /// The address that the request came from.
    public let address: String?

    /// Describes an act.
    public init(account: AccountID?, act: String, subject: String? = nil, address: String? = nil) {
        self.account = account
        self.act = act
        self.subject = subject
        self.address = address
    }
}
