/// `Error`: how a service says what is wrong. The fields are the service's words: for operators, never for clients.
struct ErrorAnswer: AnswerBody, Error, Equatable {
    static let root = "Error"

    /// The kind of failure, such as `NoSuchKey` or `SlowDown`; nil where the service left it out.
    private(set) var code: String?
    private(set) var message: String?
    /// What the service's own log has the request under.
    private(set) var requestID: String?
    /// The region that the bucket is in, where the request was signed for another.
    private(set) var region: String?

    init() {}

    /// An error that the status says alone.
    init(code: String) {
        self.code = code
    }

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "Code": code = text.nonempty
        case "Message": message = text.nonempty
        case "RequestId": requestID = text.nonempty
        case "Region": region = text.nonempty
        default: break
        }
    }
}
