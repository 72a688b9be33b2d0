import NIOCore

extension XMLWriter {
    private static let namespace: StaticString = "http://s3.amazonaws.com/doc/2006-03-01/"

    /// The body of `CompleteMultipartUpload`: the parts in the order of their numbers, each with the entity tag that the service
    /// answered its upload with, quotes and all.
    static func completion(of parts: some Sequence<(number: Int, entityTag: String)>) -> ByteBuffer {
        var writer = XMLWriter()
        writer.element("CompleteMultipartUpload", namespace: namespace) { writer in
            for part in parts {
                writer.element("Part") { writer in
                    writer.leaf("PartNumber", "\(part.number)".utf8)
                    writer.leaf("ETag", part.entityTag.utf8)
                }
            }
        }
        return writer.buffer
    }

    /// The body of `DeleteObjects`, which is answered key by key: at most 1,000 keys, or versions of keys.
    static func removal(of objects: some Sequence<(key: [UInt8], versionID: String?)>) -> ByteBuffer {
        var writer = XMLWriter()
        writer.element("Delete", namespace: namespace) { writer in
            writer.leaf("Quiet", "false".utf8)
            for object in objects {
                writer.element("Object") { writer in
                    writer.leaf("Key", object.key)
                    if let version = object.versionID { writer.leaf("VersionId", version.utf8) }
                }
            }
        }
        return writer.buffer
    }
}
