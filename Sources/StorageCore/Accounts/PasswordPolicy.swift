/// Which passwords may be chosen: long enough, and none that everybody tries first.
///
/// No rules of composition (OWASP ASVS 5.0, 6.2.5): length counts, and what is common is refused.
public struct PasswordPolicy: Sendable {
    /// The shortest password, in bytes.
    public let minimumBytes: Int

    /// Makes a policy; 1 to ``PasswordHasher/maximumBytes`` bytes can be asked for.
    public init(minimumBytes: Int = 8) {
        self.minimumBytes = min(max(minimumBytes, 1), PasswordHasher.maximumBytes)
    }

    /// Checks a password that somebody chooses.
    ///
    /// - Throws: ``StorageError/Code/unprocessable`` with what would be right.
    public func check(_ password: [UInt8]) throws {
        guard password.count >= minimumBytes, password.count <= PasswordHasher.maximumBytes else {
            throw StorageError(
                .unprocessable, "password: must be \(minimumBytes) to \(PasswordHasher.maximumBytes) bytes long.")
        }
        guard !CommonPasswords.contains(password) else {
            throw StorageError(.unprocessable, "password: is one of the most common ones; choose another.")
        }
    }
}
