import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import StorageCore

/// The head of an answer, and its body on the way.
struct S3Answer: Sendable {
    /// The status code.
    let status: Int
    let headers: HTTPHeaders
    let body: HTTPClientResponse.Body

    /// How long the whole body of an answer may take that is more than bytes of an object.
    static let longest = Duration.seconds(60)
    /// However long the service asks to be left alone: clients are told to come back, and not some other day.
    private static let longestPause: Int64 = 300

    /// The entity tag as it stands in the header, quotes and all; nil for none.
    var entityTag: String? {
        headers.first(name: "ETag").flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What `Content-Length` says.
    var contentLength: Int64? {
        headers.first(name: "Content-Length").flatMap { DecimalNumber.parse($0.utf8) }
    }

    /// What the service's own log has the request under.
    var requestID: String? { headers.first(name: "x-amz-request-id") }

    /// Where the bucket is, as Amazon's says it to requests for another region.
    var bucketRegion: String? { headers.first(name: "x-amz-bucket-region") }

    /// Whether the bucket keeps what was deleted, and only marks it.
    var isDeleteMarker: Bool { headers.first(name: "x-amz-delete-marker") == "true" }

    /// When the service made the answer, by its own clock.
    var date: Timestamp? {
        headers.first(name: "Date").flatMap { UTCDate(httpDate: $0.utf8)?.moment }
    }

    /// How long the service wants to be left alone.
    var retryAfter: Duration? {
        headers.first(name: "Retry-After").flatMap { DecimalNumber.parse($0.utf8) }
            .map { .seconds(min($0, Self.longestPause)) }
    }

    /// Which part of how many bytes the body is (RFC 9110 section 14.4); nil where the header is missing or no such thing.
    var contentRange: (range: ByteRange, size: Int64)? {
        guard let text = headers.first(name: "Content-Range"), text.utf8.starts(with: "bytes ".utf8) else { return nil }
        let parts = text.utf8.dropFirst(6).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, let size = DecimalNumber.parse(parts[1]) else { return nil }
        let ends = parts[0].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2, let first = DecimalNumber.parse(ends[0]), let last = DecimalNumber.parse(ends[1]),
            first <= last, last < size
        else { return nil }
        return (first..<(last + 1), size)
    }

    /// The body, chunk by chunk; to be asked for once.
    var chunks: ByteStream.Iterator {
        ByteStream(body, length: contentLength, isReplayable: false).makeAsyncIterator()
    }

    /// Reads the body whole.
    ///
    /// - Parameters:
    ///   - limit: The most bytes that are taken.
    ///   - duration: How long it may take.
    /// - Throws: ``StorageError/Code/unavailable``, transient, for a body that is longer or takes longer, or breaks off.
    func collect(upTo limit: Int, within duration: Duration = longest) async throws -> ByteBuffer {
        let deadline = ContinuousClock.now + duration
        var whole = ByteBuffer()
        if let length = contentLength {
            guard length <= Int64(limit) else { throw S3Failure.unbelievable("an answer of \(length) bytes") }
            whole.reserveCapacity(Int(length))
        }
        do {
            for try await chunk in body {
                guard whole.readableBytes + chunk.readableBytes <= limit else {
                    throw S3Failure.unbelievable("an answer of more than \(limit) bytes")
                }
                guard ContinuousClock.now < deadline else { throw S3Failure.unbelievable("an answer without end") }
                if whole.readableBytes == 0, whole.storageCapacity < chunk.readableBytes {
                    whole = chunk
                } else {
                    whole.writeImmutableBuffer(chunk)
                }
            }
        } catch {
            throw S3Failure.transport(error)
        }
        return whole
    }

    /// Reads a body that has nothing to say, so that its connection can be used again.
    ///
    /// What `Content-Length` says is not looked at: an answer to HEAD has none of these bytes.
    func drain(within duration: Duration = longest) async throws {
        let deadline = ContinuousClock.now + duration
        var count = 0
        do {
            for try await chunk in body {
                count += chunk.readableBytes
                guard count <= 64 << 10 else { throw S3Failure.unbelievable("a body where none was expected") }
                guard ContinuousClock.now < deadline else { throw S3Failure.unbelievable("an answer without end") }
            }
        } catch {
            throw S3Failure.transport(error)
        }
    }
}
