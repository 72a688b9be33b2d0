/// A page of the objects of a bucket (`ListObjectsV2`), in the order of their keys' bytes.
struct ListBucketResult: AnswerBody, Equatable {
    static let root = "ListBucketResult"

    struct Object: Equatable, Sendable {
        fileprivate(set) var key: [UInt8] = []
        fileprivate(set) var size: Int64?
    }

    private(set) var objects: [Object] = []
    /// Whether there are more pages.
    var isTruncated: Bool { truncation ?? false }
    private var truncation: Bool?
    private var isEncoded = false

    mutating func begin(_ path: String) {
        if path == "Contents" { objects.append(Object()) }
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "IsTruncated": truncation = try text.flag()
        case "EncodingType": isEncoded = text.string == "url"
        case "Contents/Key": objects[objects.count - 1].key = text.bytes
        case "Contents/Size": objects[objects.count - 1].size = try text.number()
        default: break
        }
    }

    mutating func finish() throws(AnswerFault) {
        guard truncation != nil else { throw .missing("IsTruncated") }
        for index in objects.indices {
            guard !objects[index].key.isEmpty else { throw .missing("Contents/Key") }
            try ListedName.decode(&objects[index].key, isEncoded: isEncoded, in: "Contents/Key")
        }
    }
}
