/// What `DeleteObjects` could not delete. A key that was not there counts as deleted.
struct DeleteResult: AnswerBody, Equatable {
    static let root = "DeleteResult"

    struct Failure: Equatable, Sendable {
        fileprivate(set) var key: [UInt8] = []
        fileprivate(set) var versionID: String?
        fileprivate(set) var code = ""
        fileprivate(set) var message = ""
    }

    private(set) var failures: [Failure] = []

    mutating func begin(_ path: String) {
        if path == "Error" { failures.append(Failure()) }
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "Error/Key": failures[failures.count - 1].key = text.bytes
        case "Error/VersionId": failures[failures.count - 1].versionID = text.nonempty
        case "Error/Code": failures[failures.count - 1].code = text.string
        case "Error/Message": failures[failures.count - 1].message = text.string
        default: break
        }
    }
}
