import StorageCore
import Testing

extension MetadataStoreConformance {
    /// The built-in account.
    static let builtIn: [Clause] = [
        clause("The built-in account is made when it is first opened, and is the same from then on.") { scene in
            let before = try await scene.store.account(.login(.public))
            let made = try await scene.store.change(.openPublic(ownSpace: false)).account.required()
            let again = try await scene.store.change(.openPublic(ownSpace: true)).account
            let record = try await scene.store.account(.login(.public))
            #expect(before == nil)
            #expect(made.kind == .builtIn)
            #expect(made.role == .user)
            #expect(made.login == .public)
            #expect(made.container.space == .shared)
            #expect(made.container.keepsRevisions)
            #expect(again == made)
            #expect(record?.account == made)
        },
        clause("The built-in account has its own space where that is wanted.") { scene in
            let account = try await scene.store.change(.openPublic(ownSpace: true)).account.required()
            #expect(account.container.space == Space(id: account.container.id))
        },
        clause("Of 20 simultaneous openings of the built-in account all find the same; else files get lost in twins.") {
            scene in
            let results = try await simultaneously(20) { _ in
                try await outcome { try await scene.store.change(.openPublic(ownSpace: false)) }
            }
            let accounts = Set(results.compactMap { $0.value?.account?.id })
            #expect(results.allSatisfy { $0.value != nil })
            #expect(accounts.count == 1)
        },
        clause("Nobody can sign in to the built-in account: it has no password, takes none, and its login is taken.") {
            scene in
            let account = try await scene.store.change(.openPublic(ownSpace: false)).account.required()
            await expect(.loginTaken) {
                try await scene.store.change(
                    .register(login: .public, email: nil, passwordHash: "$x$", role: .admin, ownSpace: false))
            }
            let changed = try await scene.store.change(
                .setPassword(account.id, passwordHash: "$x$", replacing: nil)
            ).account
            let record = try await scene.store.account(.login(.public))
            #expect(changed == nil)
            #expect(record?.passwordHash == nil)
            #expect(record?.account == account)
        },
        clause("The built-in account has files and public names like any other.") { scene in
            let account = try await scene.store.change(.openPublic(ownSpace: false)).account.required()
            let link = Link.uid(.random())
            let written = try await scene.write(TestContent(), at: "a", in: account, link: link).record
            let found = try await scene.store.file(.link(link))
            #expect(found != nil)
            #expect(found == written)
        },
    ]
}
