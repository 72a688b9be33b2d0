import HTTPTypes
import StorageCore

/// Older revisions of files, of the accounts-and-paths dialect.
let revisionRoutes = [
    Route(.post, "/api/v1/files/revisions") { call in
        let principal = try await call.principal()
        let fields = try await FormFields(call)
        let limit = try fields.limit(usually: FileSearch.largestLimit)
        let file = try await call.selector(try FileReference(try fields.required("path")), of: principal)
        let revisions = try await call.storage.revisions(of: file, limit: limit)
        return .json { json in
            json.name("revisions")
            json.array { json in
                for revision in revisions {
                    json.object { json in
                        revision.writeMembers(to: &json)
                        json.name("rev_id")
                        revision.revision.map { json.string($0.id.description) } ?? json.null()
                    }
                }
            }
        }
    },
    Route(.post, "/api/v1/files/revisions/restore") { call in
        let principal = try await call.principal()
        let fields = try await FormFields(call)
        let reference = try FileReference(try fields.required("path"))
        guard let revision = RevisionID(text: try fields.required("rev_id")) else {
            throw StorageError(.unprocessable, "rev_id: must be a UUID, as the list of the revisions shows it.")
        }
        let record = try await call.storage.restore(
            try await call.selector(reference, of: principal), to: revision, as: principal,
            if: try call.precondition())
        return record.answer(.ok)
    },
]
