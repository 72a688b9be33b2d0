/// Whether a bucket keeps the earlier versions of its objects (`GetBucketVersioning`).
struct VersioningConfiguration: AnswerBody, Equatable {
    static let root = "VersioningConfiguration"

    enum Status: Equatable, Sendable {
        /// It never did.
        case off
        case enabled
        /// It did; versions from that time are still there.
        case suspended
    }

    private(set) var status = Status.off

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        guard path == "Status" else { return }
        switch text.string {
        case "Enabled": status = .enabled
        case "Suspended": status = .suspended
        default: throw .invalid(path)
        }
    }
}
