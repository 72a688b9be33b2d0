/// What proves to an S3 service who asks.
///
/// Printed anywhere it shows its access key only: the other two are secrets.
public struct S3Credentials: Sendable {
    /// The name of the key; sent with every request.
    public let accessKey: String
    /// The secret that requests are signed with; never sent.
    public let secretKey: String
    /// What comes with temporary credentials; sent with every request.
    public let sessionToken: String?

    /// Describes an access key, of a user or, with a token, of a session.
    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

extension S3Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The access key.
    public var description: String { accessKey }

    /// The access key.
    public var debugDescription: String { accessKey }

    /// Shows nothing, where a value of this type is printed as a part of another.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
