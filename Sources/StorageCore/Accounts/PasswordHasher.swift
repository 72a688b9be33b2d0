/// Hashes and checks passwords with scrypt, on two threads of its own.
///
/// # Behavior
///
/// - At most two passwords are worked on at once and 64 wait; one more is refused with ``StorageError/Code/unavailable``.
/// - Checking against no hash takes the time of checking against one, so that an unknown login cannot be told by the clock.
/// - A password is bytes, used whole: never cut, never folded.
public struct PasswordHasher: Sendable {
    /// The longest password, in bytes: what is longer is refused unhashed.
    public static let maximumBytes = 1_024

    /// The outcome of a check.
    public struct Verification: Hashable, Sendable {
        /// Whether the password is the right one.
        public let isValid: Bool
        /// Whether the hash was made with other costs than those in force, so that the password should be hashed anew.
        public let needsRehash: Bool

        static let refused = Verification(isValid: false, needsRehash: false)
    }

    private let parameters: ScryptParameters
    private let pool: BlockingPool

    /// Starts the threads.
    public init(parameters: ScryptParameters = .standard) {
        self.parameters = parameters
        pool = BlockingPool(threads: 2, queue: 64)
    }

    /// Ends the threads; what is asked afterwards is refused.
    public func shutdown() async {
        await pool.shutdown()
    }

    /// Hashes a password under a new salt; returns the PHC string.
    ///
    /// - Throws: ``StorageError/Code/unprocessable`` for one over ``maximumBytes``.
    public func hash(_ password: [UInt8]) async throws -> String {
        guard password.count <= Self.maximumBytes else {
            throw StorageError(.unprocessable, "password: must not be longer than \(Self.maximumBytes) bytes.")
        }
        let parameters = parameters
        return try await pool.run {
            let salt = try SHA256.randomBytes(ScryptHash.saltBytes)
            return try ScryptHash(password: password, salt: salt, parameters: parameters).phc
        }
    }

    /// Checks a password against a PHC string.
    ///
    /// Nil, and a string of another form, is checked like any other and never matches.
    public func verify(_ password: [UInt8], against phc: String?) async throws -> Verification {
        guard password.count <= Self.maximumBytes else { return .refused }
        let parameters = parameters
        let hash = phc.flatMap { ScryptHash(phc: $0.utf8) }
        return try await pool.run {
            guard let hash else {
                let salt = [UInt8](repeating: 0, count: ScryptHash.saltBytes)
                _ = try ScryptHash(password: password, salt: salt, parameters: parameters)
                return .refused
            }
            guard try hash.matches(password) else { return .refused }
            let isCurrent =
                hash.parameters == parameters && hash.salt.count >= ScryptHash.saltBytes
                && hash.key.count >= ScryptHash.keyBytes
            return Verification(isValid: true, needsRehash: !isCurrent)
        }
    }
}
