/// Tells who presents a credential.
///
/// # Behavior
///
/// - Must answer nil for a kind of credential that it does not know, so that the next provider is asked.
/// - Must throw ``StorageError/Code/unauthenticated`` for a credential of its kind that is not valid; why not must not be
///   told, neither by the text nor by the time it takes.
/// - Must throw ``StorageError/Code/unavailable`` when it cannot tell: a failure is never a refusal and never a pass.
/// - May remember a positive answer for one second at most, so that a revoked credential ends everywhere within that time.
public protocol AuthProvider: Sendable {
    /// The principal behind the credential; nil when the kind of credential is not this provider's.
    func authenticate(_ credential: Credential) async throws -> Principal?

    /// The same for somebody whose wrong tries are counted; ``StorageError/Code/tooManyRequests`` for too many of them.
    ///
    /// A provider over others must pass the address on, or nothing is counted.
    ///
    /// - Parameters:
    ///   - credential: What is presented.
    ///   - client: Where it came from; nil for somebody whose tries are not counted.
    func authenticate(_ credential: Credential, from client: ClientAddress?) async throws -> Principal?

    /// The principal behind the credential, where that is known without waiting for anybody; nil says nothing.
    ///
    /// Must answer only what ``authenticate(_:)`` answered within the last second. A provider over others
    /// passes it on, or has nothing answered from memory.
    func recall(_ credential: Credential) -> Principal?
}

extension AuthProvider {
    /// Counts nothing.
    public func authenticate(_ credential: Credential, from client: ClientAddress?) async throws -> Principal? {
        try await authenticate(credential)
    }

    /// Remembers nobody.
    public func recall(_ credential: Credential) -> Principal? { nil }
}

/// Asks several providers in turn.
public struct AuthProviderChain: AuthProvider {
    private let providers: [any AuthProvider]

    /// Makes a chain that asks in this order.
    public init(_ providers: [any AuthProvider]) {
        self.providers = providers
    }

    /// The answer of the first provider that knows the kind of credential; nil when none does.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        try await authenticate(credential, from: nil)
    }

    /// The answer of the first provider that knows the kind of credential; nil when none does.
    public func authenticate(_ credential: Credential, from client: ClientAddress?) async throws -> Principal? {
        for provider in providers {
            if let principal = try await provider.authenticate(credential, from: client) { return principal }
        }
        return nil
    }

    /// What the first provider that remembers the credential says.
    public func recall(_ credential: Credential) -> Principal? {
        for provider in providers {
            if let principal = provider.recall(credential) { return principal }
        }
        return nil
    }
}

extension StorageError {
    /// The one refusal for every credential that is not valid.
    public static let unauthenticated = StorageError(
        .unauthenticated, "The credentials are missing or not valid. Sign in with Basic, Bearer or X-Auth-Token.")
}
