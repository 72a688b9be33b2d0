/// What `DeleteObjects` deleted, what it could not delete, and what it only hid. A key that was not there counts as deleted.
struct DeleteResult: AnswerBody, Equatable {
    static let root = "DeleteResult"

    struct Failure: Equatable, Sendable {
        fileprivate(set) var key: [UInt8] = []
        fileprivate(set) var versionID: String?
        fileprivate(set) var code = ""
        fileprivate(set) var message = ""
    }

    private(set) var failures: [Failure] = []
    /// The keys, named without a version, that got a mark on top of their versions.
    private(set) var hidden: [[UInt8]] = []
    /// All keys, as often as something is said of them or of versions of them.
    private var keys: [[UInt8]: Int] = [:]
    private var deleted = Deleted()

    private struct Deleted: Equatable {
        var key: [UInt8] = []
        var hasVersion = false
        var isMark = false
    }

    mutating func begin(_ path: String) {
        if path == "Error" { failures.append(Failure()) }
        if path == "Deleted" { deleted = Deleted() }
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "Error/Key":
            failures[failures.count - 1].key = text.bytes
            keys[text.bytes, default: 0] += 1
        case "Error/VersionId": failures[failures.count - 1].versionID = text.nonempty
        case "Error/Code": failures[failures.count - 1].code = text.string
        case "Error/Message": failures[failures.count - 1].message = text.string
        case "Deleted/Key":
            deleted.key = text.bytes
            keys[text.bytes, default: 0] += 1
        case "Deleted/VersionId": deleted.hasVersion = !text.bytes.isEmpty
        case "Deleted/DeleteMarker": deleted.isMark = try text.flag()
        case "Deleted" where deleted.isMark && !deleted.hasVersion: hidden.append(deleted.key)
        default: break
        }
    }

    /// How many of the objects, or versions of objects, that were to be deleted nothing is said of.
    func unsaid(of asked: [[UInt8]]) -> Int {
        var said = keys
        return asked.count { key in
            guard let count = said[key], count > 0 else { return true }
            said[key] = count - 1
            return false
        }
    }
}
