/// The credentials that a request carries, read but not yet checked against anybody's.
///
/// The descriptions never show them.
enum AuthorizationHeader: Equatable, Sendable {
    case none
    /// RFC 7617. The login is valid UTF-8 without control characters and without a colon; the password is any bytes.
    case basic(login: [UInt8], password: [UInt8])
    /// RFC 6750: one or more bytes of the token68 alphabet.
    case bearer([UInt8])
    /// The 16 bytes of the UUID in `X-Auth-Token`; never the nil or max UUID.
    case containerToken([UInt8])

    /// The longest value that is read.
    static let maximumBytes = 8 * 1024

    /// Reads all values of `Authorization` and of `X-Auth-Token`.
    ///
    /// `ambiguousCredentials` when there are two kinds or a repeated header, `invalidCredentials` when the one there is
    /// cannot be anybody's. The cost does not grow with a value that is too long.
    static func parse(authorization: [String], containerToken: [String]) throws(ParseError) -> AuthorizationHeader {
        guard authorization.count &+ containerToken.count <= 1 else {
            throw ParseError(
                .ambiguousCredentials,
                "The request has more than one set of credentials; send one Authorization or one X-Auth-Token header.")
        }
        if let value = containerToken.first { return try parse(containerToken: value) }
        if let value = authorization.first { return try parse(authorization: value) }
        return .none
    }

    private static func parse(containerToken value: String) throws(ParseError) -> AuthorizationHeader {
        guard value.utf8.count <= maximumBytes, let bytes = CanonicalUUID.parse(ASCII.trimmed(Array(value.utf8))),
            CanonicalUUID.isOrdinary(bytes)
        else {
            throw ParseError(
                .invalidCredentials,
                "X-Auth-Token must be a UUID of 36 characters with hyphens, and not the nil or max UUID.")
        }
        return .containerToken(bytes)
    }

    private static func parse(authorization value: String) throws(ParseError) -> AuthorizationHeader {
        guard value.utf8.count <= maximumBytes else {
            throw ParseError(.invalidCredentials, "The Authorization header is longer than \(maximumBytes) bytes.")
        }
        let bytes = ASCII.trimmed(Array(value.utf8))
        let scheme = bytes.prefix { $0 != ASCII.space }
        let parameter = bytes.dropFirst(scheme.count).drop { $0 == ASCII.space }
        if ASCII.equals(scheme, lowercase: "basic") { return try basic(parameter) }
        if ASCII.equals(scheme, lowercase: "bearer") { return try bearer(parameter) }
        throw ParseError(.invalidCredentials, "The Authorization scheme must be Basic or Bearer.")
    }

    private static func basic(_ parameter: ArraySlice<UInt8>) throws(ParseError) -> AuthorizationHeader {
        guard let decoded = Base64.decode(parameter) else {
            throw ParseError(.invalidCredentials, "Basic credentials must be padded base64 of login:password.")
        }
        guard let colon = decoded.firstIndex(of: ASCII.colon) else {
            throw ParseError(.invalidCredentials, "Basic credentials must have a colon between login and password.")
        }
        let login = Array(decoded[..<colon])
        guard String(validating: login, as: UTF8.self) != nil, login.allSatisfy({ ASCII.isControl($0) == false }) else {
            throw ParseError(.invalidCredentials, "A login must be UTF-8 without control characters.")
        }
        return .basic(login: login, password: Array(decoded[(colon &+ 1)...]))
    }

    private static func bearer(_ parameter: ArraySlice<UInt8>) throws(ParseError) -> AuthorizationHeader {
        let body = parameter.prefix { PercentEncoding.isUnreserved($0) || $0 == ASCII.plus || $0 == ASCII.slash }
        guard body.isEmpty == false, parameter.dropFirst(body.count).allSatisfy({ $0 == ASCII.equals }) else {
            throw ParseError(.invalidCredentials, "A Bearer token must be one word of letters, digits and -._~+/.")
        }
        return .bearer(Array(parameter))
    }
}

extension AuthorizationHeader: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String {
        switch self {
        case .none: "none"
        case .basic: "basic"
        case .bearer: "bearer"
        case .containerToken: "container token"
        }
    }

    var debugDescription: String { description }

    var customMirror: Mirror { Mirror(self, children: []) }
}
