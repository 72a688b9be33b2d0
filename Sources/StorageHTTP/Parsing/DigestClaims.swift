/// The digests that a sender names for what it sends: `Repr-Digest` and `Content-Digest` (RFC 9530 sections 2 and 3) and
/// `Content-MD5` (RFC 1864).
///
/// They are compared with what really arrived, and never take the place of it.
struct DigestClaims: Equatable, Sendable {
    /// Every SHA-256 that is named, of 32 bytes each; all must be right.
    private(set) var sha256: [[UInt8]] = []
    /// The MD5, of 16 bytes.
    private(set) var md5: [UInt8]?

    /// No claims at all.
    init() {}

    /// Reads all lines of each field. Algorithms other than `sha-256` are passed over; anything malformed is an error, because a
    /// digest that is overlooked would let damaged bytes through.
    init(representation: [String], content: [String], md5: [String] = []) throws(ParseError) {
        for lines in [representation, content] where !lines.isEmpty {
            guard let dictionary = StructuredDictionary(lines) else { throw Self.malformed }
            switch dictionary["sha-256"] {
            case .bytes(let digest) where digest.count == 32: sha256.append(digest)
            case nil: break
            default: throw Self.malformed
            }
        }
        if let line = md5.first {
            guard md5.count == 1, let digest = Base64.decode(ASCII.trimmed(Array(line.utf8))), digest.count == 16 else {
                throw ParseError(.invalidDigest, "Content-MD5 takes the base64 of the 16 bytes of one MD5.")
            }
            self.md5 = digest
        }
    }

    /// Also the claims of somebody else about the same bytes.
    mutating func add(_ others: DigestClaims) {
        sha256 += others.sha256
        md5 = md5 ?? others.md5
    }

    /// Whether the lines of `Want-Repr-Digest` (RFC 9530 section 4) ask for SHA-256: by a preference from 1 to 10, or by the bare
    /// name. A wish that cannot be read is none.
    static func wantsSHA256(_ lines: [String]) -> Bool {
        guard !lines.isEmpty else { return false }
        return switch StructuredDictionary(lines)?["sha-256"] {
        case .integer(let preference): (1...10).contains(preference)
        case .bare: true
        default: false
        }
    }

    private static let malformed = ParseError(
        .invalidDigest,
        "Repr-Digest and Content-Digest take a dictionary of digests, such as sha-256=:base64 of the 32 bytes:.")
}
