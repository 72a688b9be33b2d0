import StorageCore

/// A page of the versions of objects (`ListObjectVersions`), those that only say that an object was deleted among them.
struct ListVersionsResult: AnswerBody, Equatable {
    static let root = "ListVersionsResult"

    struct Version: Equatable, Sendable {
        fileprivate(set) var key: [UInt8] = []
        /// `null` for what was written while the bucket kept no versions.
        fileprivate(set) var id = ""
    }

    private(set) var versions: [Version] = []
    /// Whether there are more pages.
    var isTruncated: Bool { truncation ?? false }
    private(set) var nextKeyMarker: [UInt8]?
    private(set) var nextVersionIDMarker: String?
    private var truncation: Bool?
    private var isEncoded = false

    mutating func begin(_ path: String) {
        if path == "Version" || path == "DeleteMarker" { versions.append(Version()) }
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "IsTruncated": truncation = try text.flag()
        case "NextKeyMarker": nextKeyMarker = text.bytes.isEmpty ? nil : text.bytes
        case "NextVersionIdMarker": nextVersionIDMarker = text.nonempty
        case "EncodingType": isEncoded = text.string == "url"
        case "Version/Key", "DeleteMarker/Key": versions[versions.count - 1].key = text.bytes
        case "Version/VersionId", "DeleteMarker/VersionId": versions[versions.count - 1].id = text.string
        default: break
        }
    }

    mutating func finish() throws(AnswerFault) {
        guard truncation != nil else { throw .missing("IsTruncated") }
        for index in versions.indices {
            guard !versions[index].key.isEmpty else { throw .missing("Version/Key") }
            guard !versions[index].id.isEmpty else { throw .missing("Version/VersionId") }
            try ListedName.decode(&versions[index].key, isEncoded: isEncoded, in: "Version/Key")
        }
        guard var marker = nextKeyMarker else { return }
        try ListedName.decode(&marker, isEncoded: isEncoded, in: "NextKeyMarker")
        nextKeyMarker = marker
    }
}
