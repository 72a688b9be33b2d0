import HTTPTypes
import NIOCore
import StorageCore

/// Documents in gzip, where the client takes it.
extension Answer {
    /// Whether the content is a document that was made for this answer, and worth compressing.
    private var isCompressible: Bool {
        guard headers[.eTag] == nil, headers[.contentEncoding] == nil else { return false }
        switch headers[.contentType] {
        case "application/json", Problem.mediaType, PrometheusText.mediaType: break
        default: return false
        }
        return switch content {
        case .none: false
        case .bytes(let bytes): Int64(bytes.readableBytes) >= Compressor.leastBytes
        case .written(let length, _): length == nil
        }
    }

    /// The answer as it is to be sent: compressed if it is a document, the client takes gzip, and there is room for one more.
    func compressed(for call: Call) async throws -> Answer {
        guard isCompressible else { return self }
        var answer = self
        answer.headers[.vary] = headers[.vary].map { "\($0), Accept-Encoding" } ?? "Accept-Encoding"
        guard call.welcomesGzip, let permit = call.compressor.permit() else { return answer }
        switch content {
        case .none: return answer
        case .bytes(let bytes):
            answer.content = .bytes(try await call.compressor.compress(bytes, permit))
        case .written(_, let write):
            answer.content = .written(length: nil, call.compressor.compress(write, permit))
        }
        answer.headers[.contentEncoding] = "gzip"
        return answer
    }
}
