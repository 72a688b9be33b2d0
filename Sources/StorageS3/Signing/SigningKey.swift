import StorageCore
import Synchronization

/// The key that a day's requests to one region are signed with, derived from the secret once a day.
final class SigningKey: Sendable {
    private let secret: [UInt8]
    private let region: [UInt8]
    private let service: [UInt8]
    private let latest = Mutex<(day: String, key: [UInt8])?>(nil)

    init(secret: String, region: String, service: String) {
        self.secret = Array("AWS4".utf8) + Array(secret.utf8)
        self.region = Array(region.utf8)
        self.service = Array(service.utf8)
    }

    /// The key of a day written as `20130524`.
    func key(of day: String) throws -> [UInt8] {
        if let key = latest.withLock({ $0?.day == day ? $0?.key : nil }) { return key }
        var key = try SHA256.authenticate(Array(day.utf8), key: secret)
        for part in [region, service, Array("aws4_request".utf8)] {
            key = try SHA256.authenticate(part, key: key)
        }
        latest.withLock { [key] in $0 = (day, key) }
        return key
    }
}
