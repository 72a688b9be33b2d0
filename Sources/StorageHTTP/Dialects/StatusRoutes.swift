import HTTPTypes
import StorageCore

/// What an account holds, of the accounts-and-paths dialect.
let statusRoutes = [
    Route(.get, "/api/v1/user/status") { call in
        let principal = try await call.principal()
        let usage = try await call.storage.usage(of: principal)
        let folders = try await call.storage.folderUsage(of: principal, while: call.isWanted)
        return .json(headers: [.vary: "Authorization, X-Auth-Token"]) { json in
            json.name("account_id")
            principal.account.map { json.string($0.id.description) } ?? json.null()
            json.name("info")
            json.object { json in
                // Neither folder has a row of its own: both are the container.
                for name in ["root_folder_id", "home_folder_id"] as [StaticString] {
                    json.name(name)
                    call.storage.container(of: principal).map { json.string($0.id.description) } ?? json.null()
                }
            }
            json.name("folders")
            json.array { json in
                for folder in folders { folder.write(to: &json, allocated: usage.limitBytes) }
            }
            json.name("quota")
            usage.limitBytes.map { json.integer($0) } ?? json.null()
            json.name("used")
            json.integer(usage.bytes)
            json.name("files")
            json.integer(usage.files)
        }
    }
]

extension FolderUsage {
    /// A member with the folder's name. Folders share what their container may hold: all of that is allocated to each, and without a
    /// limit what it uses.
    fileprivate func write(to json: inout JSONWriter, allocated: Int64?) {
        json.object { json in
            json.name(escaping: folder.text)
            json.object { json in
                json.name("allocated")
                json.string(String(allocated ?? bytes))
                json.name("used")
                json.string(String(bytes))
                json.name("files")
                json.integer(files)
            }
        }
    }
}
