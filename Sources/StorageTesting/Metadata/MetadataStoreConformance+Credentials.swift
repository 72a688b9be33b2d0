import StorageCore
import Testing

extension MetadataScene {
    /// Adds a session to an account.
    func session(
        _ digest: TokenDigest, for account: Account? = nil, lifetime: Int64? = nil, idle: Int64? = nil
    ) async throws -> CredentialID {
        let change = AccountChange.addCredential(
            (account ?? owner).id, digest, kind: .session, label: "test", lifetime: lifetime, idle: idle)
        return try await store.change(change).credential.required()
    }

    /// The account that a credential opens.
    func opens(_ digest: TokenDigest) async throws -> AccountID? {
        try await store.account(.credential(digest))?.account.id
    }
}

extension MetadataStoreConformance {
    /// Sessions.
    static let credentials: [Clause] = [
        clause("A session opens its account, and says what it is.") { scene in
            let digest = TokenDigest.random()
            let id = try await scene.session(digest, lifetime: scene.hour, idle: scene.hour)
            let record = try await scene.store.account(.credential(digest)).required()
            let credential = try record.credential.required()
            #expect(record.account == scene.owner)
            #expect(credential.id == id)
            #expect(credential.kind == .session)
            #expect(credential.expiresAt.map { $0.microseconds - credential.createdAt.microseconds } == scene.hour)
            #expect(record.readAt >= credential.createdAt)
        },
        clause("A session without ends has none; other sessions open what they were made for.") { scene in
            let other = try await scene.account()
            let (mine, theirs) = (TokenDigest.random(), TokenDigest.random())
            _ = try await scene.session(mine)
            _ = try await scene.session(theirs, for: other)
            let (first, second) = (try await scene.opens(mine), try await scene.opens(theirs))
            #expect(first == scene.owner.id)
            #expect(second == other.id)
        },
        clause("A session whose lifetime is over opens nothing, whatever its idle time.") { scene in
            let digest = TokenDigest.random()
            _ = try await scene.session(digest, lifetime: 0, idle: scene.hour)
            let account = try await scene.opens(digest)
            #expect(account == nil)
        },
        clause("A session that was idle for too long opens nothing, whatever its lifetime.") { scene in
            let digest = TokenDigest.random()
            _ = try await scene.session(digest, lifetime: scene.hour, idle: 0)
            let account = try await scene.opens(digest)
            #expect(account == nil)
        },
        clause("Use moves the end of a session's idle time and is noted.") { scene in
            let digest = TokenDigest.random()
            let id = try await scene.session(digest, idle: scene.hour)
            _ = try await scene.store.change(.touchCredential(id, idle: scene.hour))
            let used = try await scene.store.account(.credential(digest))?.credential
            _ = try await scene.store.change(.touchCredential(id, idle: 0))
            let account = try await scene.opens(digest)
            #expect(used?.lastUsedAt != nil)
            #expect(account == nil)
        },
        clause(
            "A session was not used before its first use; use names it with its account, and ends its idle time with none."
        ) {
            scene in
            let digest = TokenDigest.random()
            let id = try await scene.session(digest, idle: scene.hour)
            let unused = try await scene.store.account(.credential(digest))?.credential
            let use = try await scene.store.change(.touchCredential(id, idle: nil))
            let useless = try await scene.store.change(.touchCredential(CredentialID(), idle: nil))
            #expect(unused?.id == id)
            #expect(unused?.lastUsedAt == nil)
            #expect(use == AccountChangeResult(account: scene.owner, credential: id))
            #expect(useless == AccountChangeResult(account: nil))
        },
        clause("A new password ends the sessions that came of the old one, but the one to be kept, or none of them.") {
            scene in
            let (kept, ended) = (TokenDigest.random(), TokenDigest.random())
            let id = try await scene.session(kept)
            _ = try await scene.session(ended)
            let late = try await scene.store.change(
                .setPassword(scene.owner.id, passwordHash: "$2$", replacing: "$1$", ending: .all(except: id)))
            let untouched = try await scene.store.account(.credential(ended))
            let changed = try await scene.store.change(
                .setPassword(scene.owner.id, passwordHash: "$1$", replacing: nil, ending: .all(except: id)))
            let (first, second) = (
                try await scene.store.account(.credential(kept)), try await scene.store.account(.credential(ended))
            )
            _ = try await scene.store.change(
                .setPassword(scene.owner.id, passwordHash: "$3$", replacing: "$1$", ending: .all(except: nil)))
            let last = try await scene.store.account(.credential(kept))
            #expect(late.account == nil)
            #expect(untouched != nil)
            #expect(changed.account == scene.owner)
            #expect(first != nil)
            #expect(second == nil)
            #expect(last == nil)
        },
        clause("Use does not bring an ended session back: idle, expired or revoked.") { scene in
            let (idle, expired, revoked) = (TokenDigest.random(), TokenDigest.random(), TokenDigest.random())
            let ids = [
                try await scene.session(idle, idle: 0), try await scene.session(expired, lifetime: 0),
                try await scene.session(revoked),
            ]
            _ = try await scene.store.change(.revokeCredential(scene.owner.id, ids[2]))
            for id in ids { _ = try await scene.store.change(.touchCredential(id, idle: scene.hour)) }
            for digest in [idle, expired, revoked] {
                let account = try await scene.opens(digest)
                #expect(account == nil)
            }
        },
        clause("A revoked session opens nothing; revoking it again is fine, and the others stay.") { scene in
            let (one, other) = (TokenDigest.random(), TokenDigest.random())
            let id = try await scene.session(one)
            _ = try await scene.session(other)
            for _ in 0..<2 {
                let result = try await scene.store.change(.revokeCredential(scene.owner.id, id))
                #expect(result.account == scene.owner)
            }
            let (revoked, left) = (try await scene.opens(one), try await scene.opens(other))
            #expect(revoked == nil)
            #expect(left == scene.owner.id)
        },
        clause(
            "A credential has ended once it is revoked, expired, idle or its account closed; not before, and not unmade."
        ) {
            scene in
            let (revoked, expired, idle) = (TokenDigest.random(), TokenDigest.random(), TokenDigest.random())
            let (live, container, never) = (TokenDigest.random(), TokenDigest.random(), TokenDigest.random())
            let id = try await scene.session(revoked)
            _ = try await scene.session(expired, lifetime: 0)
            _ = try await scene.session(idle, idle: 0)
            _ = try await scene.session(live)
            let opened = try await scene.store.change(.openContainer(container, ownSpace: true))
            let whileOpen = try await scene.store.hasEnded(container)
            _ = try await scene.store.change(.revokeCredential(scene.owner.id, id))
            _ = try await scene.store.change(.close(try #require(opened.account).id))
            #expect(!whileOpen)
            for digest in [revoked, expired, idle, container] {
                let hasEnded = try await scene.store.hasEnded(digest)
                #expect(hasEnded)
            }
            for digest in [live, never] {
                let hasEnded = try await scene.store.hasEnded(digest)
                #expect(!hasEnded)
            }
        },
        clause("A session that was never used says so, and when its idle time ends.") { scene in
            _ = try await scene.session(.random(), idle: scene.hour)
            let listed = try await scene.store.credentials(of: scene.owner.id, after: nil, limit: 10)
            let session = try #require(listed.last)
            #expect(session.lastUsedAt == nil)
            #expect(session.idleUntil?.microseconds == session.createdAt.microseconds + scene.hour)
        },
        clause("Nobody revokes another account's session.") { scene in
            let other = try await scene.account()
            let digest = TokenDigest.random()
            let id = try await scene.session(digest)
            _ = try await scene.store.change(.revokeCredential(other.id, id))
            _ = try await scene.store.change(.revokeCredentials(other.id, except: nil))
            let account = try await scene.opens(digest)
            #expect(account == scene.owner.id)
        },
        clause("All sessions of an account are revoked but the one to be kept; then that one too.") { scene in
            let digests = [TokenDigest.random(), .random(), .random()]
            var ids: [CredentialID] = []
            for digest in digests { ids.append(try await scene.session(digest)) }
            _ = try await scene.store.change(.revokeCredentials(scene.owner.id, except: ids[1]))
            var open: [AccountID?] = []
            for digest in digests { open.append(try await scene.opens(digest)) }
            _ = try await scene.store.change(.revokeCredentials(scene.owner.id, except: nil))
            let last = try await scene.opens(digests[1])
            #expect(open == [nil, scene.owner.id, nil])
            #expect(last == nil)
        },
        clause("Sweeping leaves living sessions alone, and ended ones ended.") { scene in
            let (living, ended) = (TokenDigest.random(), TokenDigest.random())
            _ = try await scene.session(living, lifetime: scene.hour, idle: scene.hour)
            _ = try await scene.session(ended, lifetime: -scene.second)
            while try await scene.store.tidy(.sweepCredentials) {}
            let (first, second) = (try await scene.opens(living), try await scene.opens(ended))
            #expect(first == scene.owner.id)
            #expect(second == nil)
        },
    ]

    /// Container tokens.
    static let containers: [Clause] = [
        clause("The first write under a token makes an account with a container of its own.") { scene in
            let digest = TokenDigest.random()
            let before = try await scene.opens(digest)
            let result = try await scene.store.change(.openContainer(digest, ownSpace: true))
            let account = try result.account.required()
            let record = try await scene.store.account(.credential(digest))
            #expect(before == nil)
            #expect(account.kind == .token)
            #expect(account.role == .user)
            #expect(account.login == nil)
            #expect(account.container.space == Space(id: account.container.id))
            #expect(!account.container.keepsRevisions)
            #expect(record?.account == account)
            #expect(record?.credential?.kind == .container)
            #expect(record?.passwordHash == nil)
        },
        clause("A token opens the same container every time; else its files are gone.") { scene in
            let digest = TokenDigest.random()
            let first = try await scene.store.change(.openContainer(digest, ownSpace: true)).account
            let second = try await scene.store.change(.openContainer(digest, ownSpace: true)).account
            let other = try await scene.store.change(.openContainer(.random(), ownSpace: true)).account
            #expect(second == first)
            #expect(other?.container.id != first?.container.id)
        },
        clause("20 simultaneous first writes under a token share one container; else files of some are gone.") {
            scene in
            let digest = TokenDigest.random()
            let results = try await simultaneously(20) { _ in
                try await scene.store.change(.openContainer(digest, ownSpace: true)).account.required()
            }
            #expect(Set(results).count == 1)
        },
        clause("A token's container lies in the shared space where that is wanted.") { scene in
            let result = try await scene.store.change(.openContainer(.random(), ownSpace: false))
            #expect(result.account?.container.space == .shared)
        },
        clause("A revoked token opens neither its container nor a new one, also after sweeping.") { scene in
            let digest = TokenDigest.random()
            let account = try await scene.store.change(.openContainer(digest, ownSpace: true)).account.required()
            _ = try await scene.store.change(.revokeCredentials(account.id, except: nil))
            let opened = try await scene.opens(digest)
            #expect(opened == nil)
            await expect(.unauthenticated) { try await scene.store.change(.openContainer(digest, ownSpace: true)) }
            while try await scene.store.tidy(.sweepCredentials) {}
            await expect(.unauthenticated) { try await scene.store.change(.openContainer(digest, ownSpace: true)) }
        },
    ]
}
