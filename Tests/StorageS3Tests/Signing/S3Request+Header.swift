@testable import StorageS3

extension S3Request {
    /// The value of the header, the first where there are many.
    func header(_ name: String) -> String? {
        headers.first { $0.canonicalName == Header(name, "").canonicalName }?.value
    }
}
