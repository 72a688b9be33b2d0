import Testing

@testable import StorageCore

@Suite("scrypt")
struct ScryptTests {
    static let cheap = ScryptParameters(logN: 4, r: 1, p: 1)

    /// RFC 7914 section 12.
    static let vectors: [(password: String, salt: String, parameters: ScryptParameters, key: String)] = [
        (
            "", "", ScryptParameters(logN: 4, r: 1, p: 1),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
        (
            "password", "NaCl", ScryptParameters(logN: 10, r: 8, p: 16),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
        (
            "pleaseletmein", "SodiumChloride", ScryptParameters(logN: 14, r: 8, p: 1),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
    ]

    @Test("gives the published keys", arguments: vectors)
    func publishedKeys(password: String, salt: String, parameters: ScryptParameters, key: String) throws {
        let derived = try ScryptHash.derive(
            Array(password.utf8), salt: Array(salt.utf8), parameters: parameters, count: 64)
        #expect(Hexadecimal.encode(derived) == key)
    }

    @Test("the standard costs can be paid")
    func standardCosts() throws {
        let hash = try ScryptHash(password: [1], salt: [UInt8](repeating: 2, count: 16), parameters: .standard)
        #expect(hash.phc.hasPrefix("$scrypt$ln=15,r=8,p=3$AgICAgICAgICAgICAgICAg$"))
        #expect(ScryptHash(phc: hash.phc.utf8) == hash)
    }

    static let salt = "AgICAgICAgICAgICAgICAg"
    static let key = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"

    @Test("reads a PHC string")
    func reading() throws {
        let hash = try #require(ScryptHash(phc: "$scrypt$ln=4,r=1,p=2$\(Self.salt)$\(Self.key)".utf8))
        #expect(hash.parameters == ScryptParameters(logN: 4, r: 1, p: 2))
        #expect(hash.salt == [UInt8](repeating: 2, count: 16))
        #expect(hash.key.count == 32)
    }

    static let malformedStrings = [
        "", "$", "scrypt", "$scrypt$", "$argon2id$ln=4,r=1,p=1$\(salt)$\(key)", "scrypt$ln=4,r=1,p=1$\(salt)$\(key)",
        "$scrypt$ln=4,r=1,p=1$\(salt)$\(key)$", "$scrypt$ln=4,r=1,p=1$\(salt)", "$scrypt$ln=4,r=1$\(salt)$\(key)",
        "$scrypt$r=1,ln=4,p=1$\(salt)$\(key)", "$scrypt$ln=,r=1,p=1$\(salt)$\(key)",
        "$scrypt$ln=+4,r=1,p=1$\(salt)$\(key)",
        "$scrypt$ln=4,r=1,p=1,x=1$\(salt)$\(key)", "$scrypt$ln=4,r=1,p=1$\(salt)=$\(key)",
        "$scrypt$ln=4,r=1,p=1$$\(key)",
        "$scrypt$ln=4,r=1,p=1$\(salt)$", "$scrypt$ln=4,r=1,p=1$AgIC$\(key)", "$scrypt$ln=4,r=1,p=1$\(salt)$AgIC",
        "$scrypt$ln=4,r=1,p=1$\(salt)$\(key.dropLast())J", "$scrypt$ln=4,r=1,p=1$\(salt)$\(key) ",
        "$scrypt$ln=4,r=1,p=1$\(String(repeating: "A", count: 400))$\(key)",
        // Costs that nobody should be made to pay, or that scrypt does not have.
        "$scrypt$ln=0,r=1,p=1$\(salt)$\(key)", "$scrypt$ln=21,r=1,p=1$\(salt)$\(key)",
        "$scrypt$ln=63,r=8,p=1$\(salt)$\(key)",
        "$scrypt$ln=20,r=8,p=1$\(salt)$\(key)", "$scrypt$ln=16,r=1,p=1$\(salt)$\(key)",
        "$scrypt$ln=15,r=8,p=64$\(salt)$\(key)",
        "$scrypt$ln=4,r=0,p=1$\(salt)$\(key)", "$scrypt$ln=4,r=1,p=0$\(salt)$\(key)",
        "$scrypt$ln=4,r=99999,p=1$\(salt)$\(key)",
        "$scrypt$ln=4,r=1,p=9223372036854775807$\(salt)$\(key)",
    ]

    @Test("a string of another form is no hash, and no password matches it", arguments: malformedStrings)
    func malformed(phc: String) async throws {
        #expect(ScryptHash(phc: phc.utf8) == nil)
        let hasher = PasswordHasher(parameters: Self.cheap)
        let verification = try await hasher.verify([1], against: phc)
        #expect(verification == .refused)
    }

    @Test("the right password is right, every other is not", arguments: [0, 1, 8, 1_024])
    func verification(count: Int) async throws {
        let hasher = PasswordHasher(parameters: Self.cheap)
        let password = [UInt8](repeating: 0xC3, count: count)
        let phc = try await hasher.hash(password)
        let other = try await hasher.hash(password)
        #expect(phc != other)
        let right = try await hasher.verify(password, against: phc)
        #expect(right.isValid && !right.needsRehash)
        for wrong in [password + [0x41], Array(password.dropFirst()) + [1], password + password + [2]] {
            let verification = try await hasher.verify(wrong, against: phc)
            #expect(verification == .refused)
        }
        let unknown = try await hasher.verify(password, against: nil)
        #expect(unknown == .refused)
    }

    @Test("a password over 1,024 bytes is neither hashed nor right")
    func longPassword() async throws {
        let hasher = PasswordHasher(parameters: Self.cheap)
        let long = [UInt8](repeating: 65, count: 1_025)
        let code = await codeThrown { _ = try await hasher.hash(long) }
        #expect(code == .unprocessable)
        let phc = try await hasher.hash(Array(long.prefix(1_024)))
        let verification = try await hasher.verify(long, against: phc)
        #expect(verification == .refused)
    }

    @Test("a hash of other costs is still right, and asks to be made anew")
    func rehash() async throws {
        let old = try await PasswordHasher(parameters: Self.cheap).hash([1, 2, 3])
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 5, r: 1, p: 1))
        let verification = try await hasher.verify([1, 2, 3], against: old)
        #expect(verification.isValid && verification.needsRehash)
        let wrong = try await hasher.verify([1, 2], against: old)
        #expect(wrong == .refused)
    }

    @Test("an unknown login costs what a known one costs")
    func sameTime() async throws {
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 12, r: 8, p: 1))
        let phc = try await hasher.hash([1])
        func time(_ hash: String?) async throws -> Duration {
            let start = ContinuousClock.now
            _ = try await hasher.verify([2], against: hash)
            return ContinuousClock.now - start
        }
        // The shortest of many, because other tests run beside it; without the dummy the factor would be in the hundreds.
        var known = Duration.seconds(60)
        var unknown = Duration.seconds(60)
        for _ in 0..<15 {
            known = min(known, try await time(phc))
            unknown = min(unknown, try await time(nil))
        }
        #expect(unknown * 10 > known)
        #expect(known * 10 > unknown)
    }

    @Test("more than the queue holds are refused, and the others answered")
    func overload() async throws {
        let hasher = PasswordHasher(parameters: ScryptParameters(logN: 14, r: 8, p: 1))
        let refused = Counter()
        let answered = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do {
                        _ = try await hasher.verify([1], against: nil)
                        answered.increment()
                    } catch let error as StorageError where error.code == .unavailable {
                        refused.increment()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(refused.value > 0)
        #expect(answered.value >= 66)
        #expect(refused.value + answered.value == 100)
    }
}
