import Logging
import StorageCore

extension StoragedConfiguration {
    /// Makes the configured administrator unless there is an account of that login, which is never changed.
    func makeAdministrator(in stores: Stores) async throws {
        guard let administrator else { return }
        let logger = Logger(label: "storaged")
        if let existing = try await stores.metadata.account(.login(administrator.login))?.account {
            if existing.role != .admin {
                logger.warning(
                    "the login of admin.email is a user's, and stays so", metadata: ["account": "\(existing.id)"])
            }
            return
        }
        do {
            let account = try await accountRegistry(over: stores).add(
                login: administrator.login.bytes, password: administrator.password.bytes, role: .admin)
            logger.notice("made the administrator", metadata: ["account": "\(account.id)"])
        } catch let error as StorageError where error.code == .loginTaken {
            // Another process was a moment faster.
        }
    }
}
