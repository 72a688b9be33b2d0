import StorageCore
import Testing

/// What every ``/StorageCore/AuthProvider`` must do, clause by clause.
///
/// A provider joins with a function that makes an ``AuthProviderCandidate`` over a new store.
public enum AuthProviderConformance {
    /// One thing that must hold.
    public typealias Clause = ConformanceClause<AuthProviderCandidate>

    /// The clauses.
    public static let clauses: [Clause] = [
        Clause("A valid credential is its account's, every time.") { candidate in
            for _ in 0..<3 {
                let principal = try await candidate.provider.authenticate(candidate.valid)
                #expect(principal?.account == candidate.account)
            }
        },
        Clause("A valid credential presented by many at once is its account's for each.") { candidate in
            let principals = try await simultaneously(8) { _ in
                try await candidate.provider.authenticate(candidate.valid)
            }
            #expect(principals.allSatisfy { $0?.account == candidate.account })
        },
        Clause("A credential of another kind is left to the next provider.") { candidate in
            try #require(!candidate.foreign.isEmpty)
            for credential in candidate.foreign {
                let principal = try await candidate.provider.authenticate(credential)
                #expect(principal == nil)
            }
        },
        Clause("A credential that is not valid is refused, never left to the next provider.") { candidate in
            for credential in candidate.refused {
                await expect(.unauthenticated) { try await candidate.provider.authenticate(credential) }
            }
        },
        Clause("All refusals read the same; else they tell which logins exist.") { candidate in
            for credential in candidate.refused {
                let result = try await outcome { try await candidate.provider.authenticate(credential) }
                guard case .failure(let error) = result else { continue }
                #expect(error.message == StorageError.unauthenticated.message)
                #expect(!error.isTransient)
            }
        },
        Clause("A refusal does not open the door: the same wrong credential is refused again.") { candidate in
            for credential in candidate.refused {
                for _ in 0..<2 {
                    await expect(.unauthenticated) { try await candidate.provider.authenticate(credential) }
                }
            }
            let principal = try await candidate.provider.authenticate(candidate.valid)
            #expect(principal?.account == candidate.account)
        },
        Clause("A refusal does not lock the account: the valid credential still opens it.") { candidate in
            for credential in candidate.refused + candidate.refused {
                _ = try await outcome { try await candidate.provider.authenticate(credential) }
            }
            let principal = try await candidate.provider.authenticate(candidate.valid)
            #expect(principal?.account == candidate.account)
        },
        Clause("A credential that was never accepted is refused at once after it ended.") { candidate in
            try await candidate.end()
            let isOpen = try await opens(candidate)
            #expect(!isOpen)
        },
        Clause("A credential that was accepted just now ends within a second.") { candidate in
            _ = try await candidate.provider.authenticate(candidate.valid)
            try await candidate.end()
            let ended = try await ends(candidate)
            #expect(ended)
        },
        Clause("Only a valid credential is remembered, as its account's, and no longer than it may be.") { candidate in
            _ = try await candidate.provider.authenticate(candidate.valid)
            let remembered = candidate.provider.recall(candidate.valid)
            #expect(remembered == nil || remembered?.account == candidate.account)
            for credential in candidate.refused + candidate.foreign {
                _ = try await outcome { try await candidate.provider.authenticate(credential) }
                #expect(candidate.provider.recall(credential) == nil)
            }
            try await candidate.end()
            let ended = try await ends(candidate)
            #expect(ended)
            #expect(candidate.provider.recall(candidate.valid) == nil)
        },
        Clause("A credential that ended is refused for good, and never somebody new.") { candidate in
            try await candidate.end()
            for _ in 0..<2 {
                await expect(.unauthenticated) { try await candidate.provider.authenticate(candidate.valid) }
            }
        },
        Clause("A disabled account is closed within a second.") { candidate in
            _ = try await candidate.provider.authenticate(candidate.valid)
            _ = try await candidate.metadata.change(.setDisabled(candidate.account.id, true))
            let ended = try await ends(candidate)
            #expect(ended)
        },
        Clause("An account that was disabled before is closed at once, and open again when it is switched on.") {
            candidate in
            _ = try await candidate.metadata.change(.setDisabled(candidate.account.id, true))
            let whileOff = try await opens(candidate)
            _ = try await candidate.metadata.change(.setDisabled(candidate.account.id, false))
            let principal = try await candidate.provider.authenticate(candidate.valid)
            #expect(!whileOff)
            #expect(principal?.account == candidate.account)
        },
        Clause("Without its store a provider cannot tell: neither a refusal nor a pass.") { candidate in
            candidate.metadata.isFailing = true
            await expect(.unavailable) { try await candidate.provider.authenticate(candidate.valid) }
        },
        Clause("A failure is not remembered: when the store is back, so are the credentials.") { candidate in
            candidate.metadata.isFailing = true
            for credential in [candidate.valid] + candidate.refused {
                _ = try await outcome { try await candidate.provider.authenticate(credential) }
            }
            candidate.metadata.isFailing = false
            let principal = try await candidate.provider.authenticate(candidate.valid)
            #expect(principal?.account == candidate.account)
            for credential in candidate.refused {
                await expect(.unauthenticated) { try await candidate.provider.authenticate(credential) }
            }
        },
        Clause("Without its store a foreign credential is still left to the next provider.") { candidate in
            candidate.metadata.isFailing = true
            for credential in candidate.foreign {
                let principal = try await candidate.provider.authenticate(credential)
                #expect(principal == nil)
            }
        },
        Clause("A chain asks until a provider knows the kind, and knows none where no provider does.") { candidate in
            let chain = AuthProviderChain([AuthProviderChain([]), candidate.provider, Unreachable()])
            let principal = try await chain.authenticate(candidate.valid)
            #expect(principal?.account == candidate.account)
            for credential in candidate.refused {
                await expect(.unauthenticated) { try await chain.authenticate(credential) }
            }
            let alone = AuthProviderChain([candidate.provider])
            for credential in candidate.foreign {
                let principal = try await alone.authenticate(credential)
                #expect(principal == nil)
            }
        },
    ]

    /// Whether the credential still leads to somebody.
    private static func opens(_ candidate: AuthProviderCandidate) async throws -> Bool {
        let result = try await outcome { try await candidate.provider.authenticate(candidate.valid) }
        if let code = result.code, code != .unauthenticated { try _ = result.get() }
        return (result.value ?? nil) != nil
    }

    /// Whether the credential stops leading to the account within the second that it may be remembered, and a little.
    private static func ends(_ candidate: AuthProviderCandidate) async throws -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(1_500)
        while ContinuousClock.now < deadline {
            guard try await opens(candidate) else { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await !opens(candidate)
    }
}

/// A provider that must not be asked.
private struct Unreachable: AuthProvider {
    func authenticate(_ credential: Credential) async throws -> Principal? {
        throw StorageError(.internal, "The chain went on although a provider knew the kind of credential.")
    }
}
