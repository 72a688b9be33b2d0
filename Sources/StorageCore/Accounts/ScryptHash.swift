internal import CLibcrypto

/// The costs of scrypt (RFC 7914 section 2).
public struct ScryptParameters: Hashable, Sendable {
    /// The binary logarithm of N, the cost in time and memory.
    public var logN: Int
    /// The block size.
    public var r: Int
    /// The parallelization: how often the whole is done.
    public var p: Int

    /// N = 2^15, r = 8, p = 3: 32 MiB for about a third of a second.
    public static let standard = ScryptParameters(logN: 15, r: 8, p: 3)

    /// Chooses costs.
    public init(logN: Int, r: Int, p: Int) {
        self.logN = logN
        self.r = r
        self.p = p
    }

    /// Whether the costs are ones that a server may be made to pay: at most 256 MiB, and ten times the standard's time.
    var isAffordable: Bool {
        guard (1...20).contains(logN), (1...64).contains(r), (1...64).contains(p), logN < 16 * r else { return false }
        let block = (1 << logN) * r
        return block <= 1 << 21 && block * p <= 1 << 23
    }

    /// The bytes that libcrypto may use, with some to spare.
    fileprivate var memory: UInt64 {
        UInt64(128 * r * ((1 << logN) + p + 2)) + 1 << 20
    }
}

/// A password's hash with all that is needed to check it, as a PHC string: `$scrypt$ln=15,r=8,p=3$<salt>$<key>`.
struct ScryptHash: Hashable, Sendable {
    /// The bytes of a new salt.
    static let saltBytes = 16
    /// The bytes of a new key.
    static let keyBytes = 32

    let parameters: ScryptParameters
    let salt: [UInt8]
    let key: [UInt8]

    /// Hashes a password; takes the time and memory that the parameters say, so on threads of its own only.
    init(password: [UInt8], salt: [UInt8], parameters: ScryptParameters, keyBytes: Int = Self.keyBytes) throws {
        self.parameters = parameters
        self.salt = salt
        key = try Self.derive(password, salt: salt, parameters: parameters, count: keyBytes)
    }

    /// Reads a PHC string; nil for every other form, and for parameters that nobody should be made to compute.
    init?(phc: some Collection<UInt8>) {
        let fields = phc.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard phc.count <= 512, fields.count == 5, fields[0].isEmpty, fields[1].elementsEqual("scrypt".utf8),
            let parameters = Self.parameters(fields[2]), parameters.isAffordable,
            let salt = Base64Text.decode(fields[3], .standard), (8...64).contains(salt.count),
            let key = Base64Text.decode(fields[4], .standard), (16...64).contains(key.count)
        else { return nil }
        self.parameters = parameters
        self.salt = salt
        self.key = key
    }

    private static func parameters(_ field: some Collection<UInt8>) -> ScryptParameters? {
        let parts = field.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var numbers: [Int] = []
        for (part, name) in zip(parts, ["ln=", "r=", "p="]) {
            guard part.starts(with: name.utf8), part.count <= 8,
                let number = DecimalNumber.parse(part.dropFirst(name.utf8.count))
            else { return nil }
            numbers.append(Int(number))
        }
        return ScryptParameters(logN: numbers[0], r: numbers[1], p: numbers[2])
    }

    /// The PHC string.
    var phc: String {
        "$scrypt$ln=\(parameters.logN),r=\(parameters.r),p=\(parameters.p)"
            + "$\(Base64Text.encode(salt, .standard))$\(Base64Text.encode(key, .standard))"
    }

    /// Whether the password is the one that was hashed; costs as much as hashing it.
    func matches(_ password: [UInt8]) throws -> Bool {
        let other = try Self.derive(password, salt: salt, parameters: parameters, count: key.count)
        return SHA256.isEqual(key, other)
    }

    /// scrypt (RFC 7914).
    static func derive(
        _ password: [UInt8], salt: [UInt8], parameters: ScryptParameters, count: Int
    ) throws -> [UInt8] {
        guard parameters.isAffordable else { throw LibcryptoError.failure("EVP_PBE_scrypt") }
        return try [UInt8](unsafeUninitializedCapacity: count) { key, initialized in
            let result = password.withUnsafeBytes { password in
                EVP_PBE_scrypt(
                    password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count,
                    1 << UInt64(parameters.logN), UInt64(parameters.r), UInt64(parameters.p), parameters.memory,
                    key.baseAddress, count)
            }
            guard result == 1 else { throw LibcryptoError.failure("EVP_PBE_scrypt") }
            initialized = count
        }
    }
}
