import StorageCore

extension Call {
    /// Who uploads: somebody with a credential, or those without where they may.
    ///
    /// - Throws: 401 for a credential that is not valid, and without one where anonymous uploads are not allowed.
    func uploader() async throws -> Principal {
        if let principal = try await principalIfAny() { return principal }
        let isAllowed =
            switch services.anonymousUploads {
            case .auto: peer.isDirectLoopback
            case .on: true
            case .off: false
            }
        guard isAllowed else { throw StorageError.unauthenticated }
        return try await accounts.anonymous()
    }
}
