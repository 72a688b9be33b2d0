import StorageCore

/// A multipart upload has begun (`CreateMultipartUpload`).
struct InitiateMultipartUploadResult: AnswerBody, Equatable {
    static let root = "InitiateMultipartUploadResult"

    /// What the parts are sent under.
    private(set) var uploadID = ""

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        if path == "UploadId" { uploadID = text.string }
    }

    mutating func finish() throws(AnswerFault) {
        guard !uploadID.isEmpty else { throw .missing("UploadId") }
    }
}

/// A multipart upload has become an object (`CompleteMultipartUpload`). Comes with a status of 200, and so may an `Error`.
struct CompleteMultipartUploadResult: AnswerBody, Equatable {
    static let root = "CompleteMultipartUploadResult"

    /// The tag of the object, with its quotes.
    private(set) var entityTag: String?

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        if path == "ETag" { entityTag = text.nonempty }
    }
}

/// A page of the multipart uploads that were begun and neither completed nor aborted (`ListMultipartUploads`).
struct ListMultipartUploadsResult: AnswerBody, Equatable {
    static let root = "ListMultipartUploadsResult"

    struct Upload: Equatable, Sendable {
        fileprivate(set) var key: [UInt8] = []
        fileprivate(set) var id = ""
        fileprivate(set) var initiated: Timestamp?
    }

    private(set) var uploads: [Upload] = []
    /// Whether there are more pages.
    var isTruncated: Bool { truncation ?? false }
    private(set) var nextKeyMarker: [UInt8]?
    private(set) var nextUploadIDMarker: String?
    private var truncation: Bool?
    private var isEncoded = false

    mutating func begin(_ path: String) {
        if path == "Upload" { uploads.append(Upload()) }
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "IsTruncated": truncation = try text.flag()
        case "NextKeyMarker": nextKeyMarker = text.bytes.isEmpty ? nil : text.bytes
        case "NextUploadIdMarker": nextUploadIDMarker = text.nonempty
        case "EncodingType": isEncoded = text.string == "url"
        case "Upload/Key": uploads[uploads.count - 1].key = text.bytes
        case "Upload/UploadId": uploads[uploads.count - 1].id = text.string
        case "Upload/Initiated": uploads[uploads.count - 1].initiated = text.moment
        default: break
        }
    }

    mutating func finish() throws(AnswerFault) {
        guard truncation != nil else { throw .missing("IsTruncated") }
        for index in uploads.indices {
            guard !uploads[index].key.isEmpty else { throw .missing("Upload/Key") }
            guard !uploads[index].id.isEmpty else { throw .missing("Upload/UploadId") }
            try ListedName.decode(&uploads[index].key, isEncoded: isEncoded, in: "Upload/Key")
        }
        guard var marker = nextKeyMarker else { return }
        try ListedName.decode(&marker, isEncoded: isEncoded, in: "NextKeyMarker")
        nextKeyMarker = marker
    }
}
