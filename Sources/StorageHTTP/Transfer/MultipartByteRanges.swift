import NIOCore
import StorageCore

/// Several parts of a file in one content, `multipart/byteranges` (RFC 9110 section 14.6).
struct MultipartByteRanges: Sendable {
    /// The parts, in the order in which they are sent.
    let ranges: [ByteRange]
    /// The type of the whole content.
    let contentType: String
    /// The number of bytes of the whole content.
    let length: Int64
    /// What comes behind the last part.
    let end: ByteBuffer
    private let heads: [ByteBuffer]

    /// Describes the content.
    ///
    /// - Parameters:
    ///   - boundary: Stands between the parts: at most 70 letters and digits (RFC 2046 section 5.1.1) that are not in the file.
    init(_ ranges: [ByteRange], of revision: Revision, boundary: String) {
        self.ranges = ranges
        contentType = "multipart/byteranges; boundary=\(boundary)"
        var delimiter = "--\(boundary)\r\n"
        heads = ranges.map { range in
            defer { delimiter = "\r\n--\(boundary)\r\n" }
            let place = RangeHeader.contentRange(range, size: revision.size)
            return ByteBuffer(
                string: "\(delimiter)Content-Type: \(revision.mediaType)\r\nContent-Range: \(place)\r\n\r\n")
        }
        end = ByteBuffer(string: "\r\n--\(boundary)--\r\n")
        let frame = heads.reduce(end.readableBytes) { $0 + $1.readableBytes }
        length = ranges.reduce(Int64(frame)) { $0 + Int64($1.count) }
    }

    /// The same with a boundary that nobody can guess, and so nobody can have put into the file.
    init(_ ranges: [ByteRange], of revision: Revision) throws {
        self.init(ranges, of: revision, boundary: Hexadecimal.encode(try SHA256.randomBytes(16)))
    }

    /// What comes before a part.
    func head(of index: Int) -> ByteBuffer { heads[index] }
}
