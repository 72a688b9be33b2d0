import StorageCore
import Testing

extension MetadataStoreConformance {
    private static func registration(
        _ login: String, passwordHash: String = "$test$", role: Account.Role = .user, ownSpace: Bool = false
    ) throws -> AccountChange {
        .register(
            login: try Login(Array(login.utf8)), email: nil, passwordHash: passwordHash, role: role, ownSpace: ownSpace)
    }

    /// Registered accounts.
    static let accounts: [Clause] = [
        clause("A registered account is found by id and login, with the hash of its password.") { scene in
            let change = try registration("ann", passwordHash: "$scrypt$ann", role: .admin)
            let result = try await scene.store.change(change)
            let account = try result.account.required()
            #expect(account.kind == .registered)
            #expect(account.role == .admin)
            #expect(account.login?.description == "ann")
            #expect(account.disabledAt == nil)
            #expect(account.container.keepsRevisions)
            #expect(account.container.space == .shared)
            for selector in [AccountSelector.id(account.id), .login(try Login(Array("ann".utf8)))] {
                let record = try await scene.store.account(selector)
                #expect(record?.account == account)
                #expect(record?.passwordHash == "$scrypt$ann")
                #expect(record?.credential == nil)
            }
        },
        clause("Every account has its own id, serial and container, and its own space where that is wanted.") { scene in
            let one = try await scene.account()
            let other = try await scene.account(ownSpace: true)
            #expect(one.id != other.id)
            #expect(one.serial < other.serial)
            #expect(one.container.id != other.container.id)
            #expect(other.container.space == Space(id: other.container.id))
        },
        clause("A login that is in use is refused and its account left as it is; else an account is taken over.") {
            scene in
            let first = try await scene.store.change(registration("ann", passwordHash: "$first$")).account
            await expect(.loginTaken) { try await scene.store.change(registration("ann", passwordHash: "$second$")) }
            let record = try await scene.store.account(.login(Login(Array("ann".utf8))))
            #expect(record?.account == first)
            #expect(record?.passwordHash == "$first$")
        },
        clause("Of 20 simultaneous registrations of a login one wins; else a container has two owners.") { scene in
            let results = try await simultaneously(20) { _ in
                try await outcome { try await scene.store.change(registration("ann")) }
            }
            #expect(results.count { $0.value?.account != nil } == 1)
            #expect(results.count { $0.code == .loginTaken } == 19)
        },
        clause("Logins are told apart by their bytes: case, composition, blanks; else twins share an account.") {
            scene in
            let logins = ["k", "K", "\u{212A}", "\u{E9}", "e\u{301}", "a", "a ", "%", "_"]
            var accounts: Set<AccountID> = []
            for login in logins {
                accounts.insert(try await scene.store.change(registration(login)).account.required().id)
            }
            #expect(accounts.count == logins.count)
            for login in logins {
                let record = try await scene.store.account(.login(Login(Array(login.utf8))))
                #expect(record?.account.login?.bytes == Array(login.utf8))
            }
        },
        clause("Nobody is found by an unknown id, login or credential.") { scene in
            let login = try Login(Array("nobody".utf8))
            for selector in [AccountSelector.id(AccountID()), .login(login), .credential(.random())] {
                let record = try await scene.store.account(selector)
                #expect(record == nil)
            }
        },
        clause("Accounts are listed in the order of their serials, in pages.") { scene in
            var expected: [AccountID] = []
            for _ in 0..<5 { expected.append(try await scene.account().id) }
            var listed: [AccountID] = []
            var serial = scene.owner.serial
            while true {
                let page = try await scene.store.accounts(after: serial, limit: 2)
                guard let last = page.last else { break }
                #expect(page.count <= 2)
                #expect(page.map(\.serial) == page.map(\.serial).sorted())
                listed += page.map(\.id)
                serial = last.serial
            }
            let all = try await scene.store.accounts(after: 0, limit: 1_000)
            #expect(listed == expected)
            #expect(all.contains(scene.owner))
        },
        clause("A new password hash replaces the old one, of this account alone.") { scene in
            let other = try await scene.account()
            let result = try await scene.store.change(
                .setPassword(scene.owner.id, passwordHash: "$new$", replacing: nil))
            let record = try await scene.store.account(.id(scene.owner.id))
            let others = try await scene.store.account(.id(other.id))
            #expect(result.account == scene.owner)
            #expect(record?.passwordHash == "$new$")
            #expect(others?.passwordHash == "$test$")
        },
        clause(
            "A password hash that replaces one no longer in force changes nothing: a rehash does not undo a new password."
        ) { scene in
            let first = AccountChange.setPassword(scene.owner.id, passwordHash: "$1$", replacing: "$test$")
            let late = AccountChange.setPassword(scene.owner.id, passwordHash: "$2$", replacing: "$test$")
            let changed = try await scene.store.change(first).account
            let unchanged = try await scene.store.change(late).account
            let record = try await scene.store.account(.id(scene.owner.id))
            #expect(changed == scene.owner)
            #expect(unchanged == nil)
            #expect(record?.passwordHash == "$1$")
        },
        clause("An account is switched off and on again, and keeps its files.") { scene in
            try await scene.write(TestContent(), at: "a")
            let off = try await scene.store.change(.setDisabled(scene.owner.id, true)).account
            let found = try await scene.store.account(.id(scene.owner.id))
            let on = try await scene.store.change(.setDisabled(scene.owner.id, false)).account
            let file = try await scene.file("a")
            #expect(off?.disabledAt != nil)
            #expect(found?.account == off)
            #expect(on == scene.owner)
            #expect(file != nil)
        },
        clause("Changes to an account that does not exist find none, and make none.") { scene in
            let nobody = AccountID()
            let changes: [AccountChange] = [
                .setPassword(nobody, passwordHash: "$x$", replacing: nil), .setDisabled(nobody, true),
                .revokeCredential(nobody, CredentialID()),
                .revokeCredentials(nobody, except: nil), .touchCredential(CredentialID(), idle: 1),
            ]
            for change in changes {
                let result = try await scene.store.change(change)
                #expect(result.account == nil)
            }
            let addition = AccountChange.addCredential(
                nobody, .random(), kind: .session, label: nil, lifetime: nil, idle: nil)
            let added = try await scene.store.change(addition)
            #expect(added.account == nil)
            #expect(added.credential == nil)
            let record = try await scene.store.account(.id(nobody))
            #expect(record == nil)
        },
    ]
}
