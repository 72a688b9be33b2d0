import HTTPTypes
import StorageCore

extension FileRecord {
    /// The record as the accounts dialect shows it; `created_ad` is spelled so in the contract.
    func write(to json: inout JSONWriter) {
        json.object { writeMembers(to: &$0) }
    }

    /// The members of the record, in an object that may have others behind them.
    func writeMembers(to json: inout JSONWriter) {
        json.name("id")
        json.string(id.description)
        json.name("name")
        json.string(utf8: Array(path.name))
        json.name("created_ad")
        json.time(microseconds: createdAt.microseconds)
        json.name("created_at")
        json.time(microseconds: createdAt.microseconds)
        json.name("modified_at")
        json.time(microseconds: modifiedAt.microseconds)
        json.name("path")
        json.string(path.description)
        json.name("size")
        json.integer(revision?.size ?? 0)
        json.name("is_downloadable")
        json.bool(!isFolder)
        json.name("hash")
        if let revision { json.string(revision.blob.digest.hex) } else { json.null() }
        json.name("media_type")
        if let revision { json.string(revision.mediaType.description) } else { json.null() }
        json.name("kind")
        json.string(kind.rawValue)
        json.name("type")
        json.string(isFolder ? "folder" : "file")
    }

    /// The record alone, as the content of an answer.
    func answer(_ status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Answer {
        var json = JSONWriter(capacity: 512)
        write(to: &json)
        return .json(status, headers: headers.merging(validators), json)
    }

    /// The entity tag and digest of the current revision, for the answer to a change.
    var validators: HTTPFields {
        guard let revision else { return [:] }
        return [.eTag: "\"\(revision.id)\"", .reprDigest: revision.digestField]
    }
}

extension Revision {
    /// The value of `Repr-Digest` (RFC 9530 section 3).
    var digestField: String { "sha-256=:\(Base64.encode(blob.digest.bytes)):" }
}

extension HTTPFields {
    /// These fields and those, of which none is in both.
    func merging(_ others: HTTPFields) -> HTTPFields {
        var fields = self
        fields.append(contentsOf: others)
        return fields
    }
}
