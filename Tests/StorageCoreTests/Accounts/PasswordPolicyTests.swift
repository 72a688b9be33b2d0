import NIOCore
import Testing

@testable import StorageCore

@Suite("The choice of passwords")
struct PasswordPolicyTests {
    static let commonPasswords = [
        "password", "Password", "PASSWORD1", "password123", "P@ssw0rd", "p@$$w0rd!", "passw0rd2024", "12345678",
        "123456789",
        "1234567890", "87654321", "11111111", "00000000", "aaaaaaaa", "abcdefgh", "abcd1234", "abc12345", "1q2w3e4r",
        "1q2w3e4r5t", "1qaz2wsx", "qazwsxedc", "qwertyuiop", "QWERTYUI", "qwerty123", "qwerty12345", "123qweasd",
        "asdfghjkl",
        "zxcvbnm123", "asdf1234", "qwer1234", "iloveyou", "ILoveYou!", "sunshine", "princess1", "football", "baseball1",
        "trustno1", "letmein1", "letmein!", "welcome1", "Welcome123", "dragon12", "monkey99", "superman", "batman123",
        "michael1", "jessica2", "jordan23", "Liverpool1", "chelsea2010", "arsenal1", "starwars", "pokemon1", "computer",
        "internet", "whatever", "summer2023", "Winter2022!", "admin123", "administrator", "changeme", "abc123abc123",
        "abababab",
        "12121212", "123123123", "1234512345", "passpass", "secret12", "access14", "mustang1", "147258369", "789456123",
        "159753159", "a1b2c3d4", "123456aa", "aa123456", "12345678a", "1password", "2000password", "test1234",
        "loveyou2",
        "qwertyqwerty", "monkeymonkey", "parolparol", "motdepasse", "йцукен12", "1111aaaa", "112233445566", "00112233",
    ]

    @Test("refuses what everybody tries first", arguments: commonPasswords)
    func common(password: String) async {
        let code = await codeThrown { try PasswordPolicy().check(Array(password.utf8)) }
        #expect(code == .unprocessable)
    }

    static let goodPasswords = [
        "correct horse battery staple", "Tr0ub4dor&3x", "kitchen-lamp-otter", "8fJ2kqPz", "b7e3f09a",
        "my cat eats fish",
        "паруса над крышей", "xkqzpvwm", "19840712xq", "\u{1F511}\u{1F511}\u{1F40C}", "hunter-gatherer",
        "a password manager",
        "ffa9c1d2e3b4", "vermillion-9-gate",
    ]

    @Test("accepts what is long enough and not common", arguments: goodPasswords)
    func good(password: String) throws {
        try PasswordPolicy().check(Array(password.utf8))
    }

    @Test("counts bytes: 8 to 1,024, or from another minimum on")
    func length() async throws {
        let bytes = (0..<1_025).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        for (policy, count, isGood) in [
            (PasswordPolicy(), 0, false), (PasswordPolicy(), 7, false), (PasswordPolicy(), 8, true),
            (PasswordPolicy(), 1_024, true), (PasswordPolicy(), 1_025, false),
            (PasswordPolicy(minimumBytes: 15), 14, false),
            (PasswordPolicy(minimumBytes: 15), 15, true), (PasswordPolicy(minimumBytes: 0), 0, false),
            (PasswordPolicy(minimumBytes: -1), 5, true),
        ] {
            let code = await codeThrown { try policy.check(Array(bytes.prefix(count))) }
            #expect(code == (isGood ? nil : .unprocessable), "\(count) bytes")
        }
    }

    @Test("names the field and not the password", arguments: ["Secret", "Password123"])
    func message(password: String) throws {
        let error = #expect(throws: StorageError.self) { try PasswordPolicy().check(Array(password.utf8)) }
        #expect(error?.message.hasPrefix("password: ") == true)
        #expect(error?.message.contains(password) == false)
    }

    @Test("knows far more than three thousand common passwords of eight bytes and more")
    func count() {
        let words = CommonWords.text.split { $0 == " " || $0 == "\n" }
        var known: Set<String> = []
        for word in Set(words) {
            for suffix in ["", "1", "99", "2024"] where word.utf8.count + suffix.utf8.count >= 8 {
                let password = word + suffix
                if CommonPasswords.contains(Array(password.utf8)) { known.insert(String(password)) }
            }
        }
        #expect(known.count >= 3_000)
    }

    @Test("judges the worst password at once")
    func worstCase() {
        let start = ContinuousClock.now
        for seed in UInt64(1)...20 {
            var bytes = SampleBytes(seed: seed)
            let digits = bytes.next(32).readableBytesView.map { UInt8(ascii: "0") + $0 % 2 }
            _ = CommonPasswords.contains(digits)
            _ = CommonPasswords.contains([UInt8](repeating: UInt8(ascii: "a"), count: 31) + [UInt8(ascii: "~")])
        }
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
