import StorageCore
import Testing

extension MetadataStoreConformance {
    /// Accounts that are closed for good.
    static let closing: [Clause] = [
        clause("A closed account is found by nothing, and its login is free.") { scene in
            let login = try scene.owner.login.required()
            let digest = TokenDigest.random()
            _ = try await scene.store.change(
                .addCredential(scene.owner.id, digest, kind: .session, label: nil, lifetime: nil, idle: nil))
            let closed = try await scene.store.change(.close(scene.owner.id)).account
            let found = [
                try await scene.store.account(.id(scene.owner.id)), try await scene.store.account(.login(login)),
                try await scene.store.account(.credential(digest)),
            ].compactMap { $0 }
            let listed = try await scene.store.accounts(after: scene.owner.serial - 1, limit: 1)
            let next = try await scene.store.change(
                .register(login: login, email: nil, passwordHash: "$", role: .user, ownSpace: false)
            ).account
            #expect(closed?.id == scene.owner.id)
            #expect(found.isEmpty)
            #expect(!listed.contains(scene.owner))
            #expect(next?.login == login)
            #expect(next?.container.id != scene.owner.container.id)
        },
        clause("A closed container takes no changes; else a late upload brings a deleted account back.") { scene in
            let upload = UploadID()
            let blob = try await scene.claim(TestContent(), upload: upload)
            let change = try scene.put(blob.id, at: "b", upload: upload)
            try await scene.write(TestContent(), at: "a")
            _ = try await scene.store.change(.close(scene.owner.id))
            await expect(.notFound) { try await scene.store.commit(change) }
            await expect(.notFound) { try await scene.makeFolder("f") }
            await expect(.notFound) { try await scene.delete("a") }
            await expect(.notFound) { try await scene.move("a", to: "a") }
            await expect(.notFound) { try await scene.copy("a", to: "c") }
            await expect(.notFound) { try await scene.deleteTree("a", limit: 1) }
            await expect(.notFound) { try await scene.reserve(1, limits: ContainerLimits(bytes: 10)) }
        },
        clause("What a closed account published is gone at once.") { scene in
            let content = TestContent()
            let link = Link.hash(content.digest)
            try await scene.write(content, at: "a", link: link)
            let before = try await scene.store.file(.link(link))
            _ = try await scene.store.change(.close(scene.owner.id))
            let after = try await scene.store.file(.link(link))
            #expect(before != nil)
            #expect(after == nil)
        },
        clause("What a closed account stored is removed in pieces, its bytes are released, others keep theirs.") {
            scene in
            let other = try await scene.account()
            let shared = TestContent()
            try await scene.write(shared, at: "a", in: other)
            try await scene.write(shared, at: "a")
            try await scene.write(at: (0..<20).map { "f/\($0 % 3)/\($0)" })
            try await scene.write(TestContent(), at: "f/0/0")
            _ = try await scene.store.change(.close(scene.owner.id))
            while try await scene.store.tidy(.removeClosedAccounts) {}
            let container = try await scene.inspection()
            let doomed = try await scene.doom()
            let kept = try await scene.file("a", in: other)
            #expect(container == nil)
            #expect(doomed.count == 21)
            #expect(kept != nil)
        },
        clause("The token of a closed container stays dead; else whoever kept it writes into a new one.") { scene in
            let digest = TokenDigest.random()
            let account = try await scene.store.change(.openContainer(digest, ownSpace: true)).account.required()
            _ = try await scene.store.change(.close(account.id))
            while try await scene.store.tidy(.removeClosedAccounts) {}
            let found = try await scene.store.account(.credential(digest))
            #expect(found == nil)
            await expect(.unauthenticated) { try await scene.store.change(.openContainer(digest, ownSpace: true)) }
        },
        clause("A closed account takes no credential; else whoever signs in at that moment opens it again.") { scene in
            _ = try await scene.store.change(.close(scene.owner.id))
            let change = AccountChange.addCredential(
                scene.owner.id, .random(), kind: .session, label: nil, lifetime: nil, idle: nil)
            let result = try await scene.store.change(change)
            #expect(result == AccountChangeResult(account: nil))
        },
        clause("A removed container holds nothing; else a list of accounts fails with the one removed meanwhile.") {
            scene in
            try await scene.write(TestContent(), at: "a")
            _ = try await scene.store.change(.close(scene.owner.id))
            while try await scene.store.tidy(.removeClosedAccounts) {}
            let usage = try await scene.usage()
            #expect(usage == Usage())
        },
        clause("No serial is given again; else what was said of a removed account is said of its successor.") { scene in
            let last = try await scene.account()
            _ = try await scene.store.change(.close(last.id))
            while try await scene.store.tidy(.removeClosedAccounts) {}
            let next = try await scene.account()
            #expect(next.serial > last.serial)
        },
        clause("Closing an account that does not exist finds none.") { scene in
            let result = try await scene.store.change(.close(AccountID()))
            #expect(result.account == nil)
        },
    ]

    /// The list of an account's credentials.
    static let credentialLists: [Clause] = [
        clause("Credentials are listed page by page with their labels, those of the account alone.") { scene in
            let other = try await scene.account()
            var made: [CredentialID] = []
            for label in ["a", nil, "b", "c", "d"] {
                let change = AccountChange.addCredential(
                    scene.owner.id, .random(), kind: .session, label: label, lifetime: nil, idle: nil)
                made.append(try await scene.store.change(change).credential.required())
            }
            _ = try await scene.store.change(
                .addCredential(other.id, .random(), kind: .session, label: nil, lifetime: nil, idle: nil))
            var listed: [StoredCredential] = []
            while true {
                let page = try await scene.store.credentials(of: scene.owner.id, after: listed.last?.id, limit: 2)
                #expect(page.count <= 2)
                guard !page.isEmpty else { break }
                listed += page
            }
            #expect(Set(listed.map(\.id)) == Set(made))
            #expect(listed.map(\.id) == listed.map(\.id).sorted())
            #expect(Set(listed.map(\.label)) == ["a", nil, "b", "c", "d"])
        },
        clause("Credentials that have ended are not listed, and ending one tells whether it was there to end.") {
            scene in
            func add(lifetime: Int64?) async throws -> CredentialID {
                let change = AccountChange.addCredential(
                    scene.owner.id, .random(), kind: .session, label: nil, lifetime: lifetime, idle: nil)
                return try await scene.store.change(change).credential.required()
            }
            let other = try await scene.account()
            let kept = try await add(lifetime: nil)
            let revoked = try await add(lifetime: nil)
            _ = try await add(lifetime: -scene.second)
            let stranger = try await scene.store.change(.revokeCredential(other.id, revoked)).credential
            let first = try await scene.store.change(.revokeCredential(scene.owner.id, revoked)).credential
            let second = try await scene.store.change(.revokeCredential(scene.owner.id, revoked)).credential
            let listed = try await scene.store.credentials(of: scene.owner.id, after: nil, limit: 10)
            #expect(listed.map(\.id) == [kept])
            #expect(stranger == nil)
            #expect(first == revoked)
            #expect(second == nil)
        },
    ]
}

extension MetadataScene {
    func limit(_ limits: ContainerLimits) async throws -> Account? {
        try await store.change(.setLimits(owner.id, limits)).account
    }

    @discardableResult
    func reserve(
        _ needed: Int64, wanted: Int64? = nil, for upload: UploadID = UploadID(), addsFile: Bool = true,
        limits: ContainerLimits = .none
    ) async throws -> Int64 {
        try await store.reserve(
            UploadReservation(
                upload: upload, container: owner.container.id, needed: needed, wanted: wanted ?? needed,
                addsFile: addsFile, limits: limits))
    }

    func sweepUploads(silent: Int64) async throws {
        while try await store.tidy(.sweepUploads(silent: silent, abandoned: hour, kept: hour)) {}
    }
}
