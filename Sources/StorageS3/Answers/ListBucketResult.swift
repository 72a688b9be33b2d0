import StorageCore

/// A page of the objects of a bucket (`ListObjectsV2`), in the order of their keys' bytes.
struct ListBucketResult: AnswerBody, Equatable {
    static let root = "ListBucketResult"

    struct Object: Equatable, Sendable {
        fileprivate(set) var key: [UInt8] = []
        fileprivate(set) var size: Int64?
        /// With its quotes, as the service writes it.
        fileprivate(set) var entityTag: String?
        fileprivate(set) var modified: Timestamp?
    }

    private(set) var objects: [Object] = []
    /// The keys up to the delimiter, where the list was asked for with one.
    private(set) var commonPrefixes: [[UInt8]] = []
    /// Whether there are more pages.
    var isTruncated: Bool { truncation ?? false }
    /// What the next page is asked for with.
    private(set) var nextContinuationToken: String?
    private var truncation: Bool?
    private var isEncoded = false

    mutating func begin(_ path: String) {
        if path == "Contents" { objects.append(Object()) }
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "IsTruncated": truncation = try text.flag()
        case "NextContinuationToken": nextContinuationToken = text.nonempty
        case "EncodingType": isEncoded = text.string == "url"
        case "CommonPrefixes/Prefix": commonPrefixes.append(text.bytes)
        case "Contents/Key": objects[objects.count - 1].key = text.bytes
        case "Contents/Size": objects[objects.count - 1].size = try text.number()
        case "Contents/ETag": objects[objects.count - 1].entityTag = text.nonempty
        case "Contents/LastModified": objects[objects.count - 1].modified = text.moment
        default: break
        }
    }

    mutating func finish() throws(AnswerFault) {
        guard truncation != nil else { throw .missing("IsTruncated") }
        for index in objects.indices {
            guard !objects[index].key.isEmpty else { throw .missing("Contents/Key") }
            try ListedName.decode(&objects[index].key, isEncoded: isEncoded, in: "Contents/Key")
        }
        for index in commonPrefixes.indices {
            try ListedName.decode(&commonPrefixes[index], isEncoded: isEncoded, in: "CommonPrefixes/Prefix")
        }
    }
}
