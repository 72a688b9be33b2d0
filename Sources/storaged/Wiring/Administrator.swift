import StorageCore

extension StoragedConfiguration {
    /// Makes the configured administrator unless there is an account of that login, which is never changed.
    func makeAdministrator(in stores: Stores) async throws {
        guard let administrator else { return }
        try await accountRegistry(over: stores.metadata).ensureAdmin(
            login: administrator.login.bytes, password: administrator.password.bytes)
    }
}
