/// Somebody who owns files: a registered user, the holder of a container token, or the built-in `public`.
public struct Account: Hashable, Sendable {
    /// How an account came to be.
    public enum Kind: String, Hashable, Sendable {
        /// Registered with login and password.
        case registered
        /// Made by the first write under an X-Auth-Token.
        case token
        /// Built in.
        case builtIn = "built_in"
    }

    /// What an account may do beyond its own container.
    public enum Role: String, Hashable, Sendable {
        /// Nothing.
        case user
        /// See and manage all accounts.
        case admin
    }

    /// The lasting name.
    public let id: AccountID
    /// A small number that counts the accounts, for dialects that show one.
    public let serial: Int64
    /// How it came to be.
    public let kind: Kind
    /// What it may do.
    public let role: Role
    /// The login; nil for a token account.
    public let login: Login?
    /// When it was made.
    public let createdAt: Timestamp
    /// When it was switched off; nil while it is in use.
    public let disabledAt: Timestamp?
    /// The one container.
    public let container: Container

    /// Describes an account.
    public init(
        id: AccountID, serial: Int64, kind: Kind, role: Role, login: Login?, createdAt: Timestamp,
        disabledAt: Timestamp?,
        container: Container
    ) {
        self.id = id
        self.serial = serial
        self.kind = kind
        self.role = role
        self.login = login
        self.createdAt = createdAt
        self.disabledAt = disabledAt
        self.container = container
    }
}

/// The place of an account's files. A token is never an id: it appears in no listing, key, log or metric.
public struct Container: Hashable, Sendable {
    /// The lasting name.
    public let id: ContainerID
    /// Which blobs it shares.
    public let space: Space
    /// Whether older revisions are kept beside the current one.
    public let keepsRevisions: Bool
    /// What it may hold; where this says nothing, the defaults of the server apply.
    public let limits: ContainerLimits

    /// Describes a container.
    public init(id: ContainerID, space: Space, keepsRevisions: Bool, limits: ContainerLimits = .none) {
        self.id = id
        self.space = space
        self.keepsRevisions = keepsRevisions
        self.limits = limits
    }
}

/// The lasting name of an account.
public typealias AccountID = Identifier<Account>
/// The lasting name of a container.
public typealias ContainerID = Identifier<Container>

/// The name that a registered user signs in with: 1 to 255 bytes of UTF-8, compared byte for byte.
public struct Login: Hashable, Sendable, CustomStringConvertible {
    /// The bytes as they were registered.
    public let bytes: [UInt8]

    /// Checks a login for registration.
    ///
    /// - Throws: ``StorageError/Code/unprocessable`` for an empty or longer one, invalid UTF-8, a colon, a control character or the
    ///   reserved `public`.
    public init(_ bytes: some Collection<UInt8>) throws {
        guard let login = Login(presented: bytes) else {
            throw StorageError(
                .unprocessable, "login: must be 1 to 255 bytes of UTF-8 without a colon and without control characters."
            )
        }
        guard login != .public else { throw StorageError(.unprocessable, "login: \"public\" is reserved.") }
        self = login
    }

    /// Reads a login that somebody presents; nil when no account can have it.
    public init?(presented bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty, bytes.count <= 255, String(validating: bytes, as: UTF8.self) != nil,
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") })
        else { return nil }
        self.bytes = Array(bytes)
    }

    private init(builtIn text: StaticString) {
        bytes = Array("\(text)".utf8)
    }

    package init(stored bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The login of the built-in account, which nobody can sign in to.
    public static let `public` = Login(builtIn: "public")

    /// The text of the login.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
