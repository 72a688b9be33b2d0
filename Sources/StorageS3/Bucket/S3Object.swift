import StorageCore

/// What a service knows of an object without sending its bytes.
struct S3Object: Hashable, Sendable {
    /// The number of bytes.
    let size: Int64
    /// The entity tag as the service writes it, quotes and all.
    let entityTag: String
}
