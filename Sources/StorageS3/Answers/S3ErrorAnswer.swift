import StorageCore

/// `Error`: how a service says what is wrong. The fields are the service's words and nobody's secret, but no client sees them.
struct S3ErrorAnswer: S3Answer, Error, Equatable {
    static let root = "Error"

    /// The kind of failure, such as `NoSuchKey` or `SlowDown`; empty where the service left it out.
    private(set) var code = ""
    /// A sentence for operators.
    private(set) var message = ""
    /// What the service's own log has the request under.
    private(set) var requestID: String?
    /// The region that the bucket is in, where the request was signed for another.
    private(set) var region: String?
    /// Where the bucket is to be asked for, where it is elsewhere. Never followed.
    private(set) var endpoint: String?
    /// The service's clock, where the request's was too far from it.
    private(set) var serverTime: Timestamp?

    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault) {
        switch path {
        case "Code": code = text.string
        case "Message": message = text.string
        case "RequestId": requestID = text.nonempty
        case "Region": region = text.nonempty
        case "Endpoint": endpoint = text.nonempty
        case "ServerTime": serverTime = text.moment
        default: break
        }
    }
}
