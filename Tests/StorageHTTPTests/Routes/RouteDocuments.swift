import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import StorageHTTP

/// A record as clients read it.
struct RecordDocument: Decodable, Equatable {
    var id: String
    var name: String
    var createdAd: String
    var createdAt: String
    var modifiedAt: String
    var path: String
    var size: Int
    var isDownloadable: Bool
    var hash: String?
    var mediaType: String?
    var kind: String
    var type: String
}

/// A list of records as clients read it.
struct ListDocument: Decodable {
    var account: String?
    var accountId: String?
    var files: [RecordDocument]
    var cursor: String?
}

/// A refusal as clients read it.
struct ProblemDocument: Decodable {
    var type: String
    var title: String
    var status: Int
    var detail: String
    var message: String
    var code: String
    var requestId: String
}

extension TestResponse {
    var text: String { String(buffer: body) }

    func decoded<Document: Decodable>(_: Document.Type = Document.self) throws -> Document {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Document.self, from: Data(body.readableBytesView))
    }

    func record() throws -> RecordDocument { try decoded() }

    /// The names of the members of a document that is an object.
    func members() throws -> Set<String> {
        let object = try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any]
        return Set(try #require(object).keys)
    }

    /// The code of a refusal; also checks what every refusal has.
    func problem(_ status: HTTPResponse.Status, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        #expect(self.status == status, "\(text)", sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        let document = try decoded(ProblemDocument.self)
        #expect(document.status == status.code, sourceLocation: sourceLocation)
        #expect(document.message == document.detail, sourceLocation: sourceLocation)
        #expect(!document.detail.isEmpty && !document.title.isEmpty, sourceLocation: sourceLocation)
        #expect(document.requestId == headers[.xRequestID], sourceLocation: sourceLocation)
        return document.code
    }

    /// The entity tag of the answer.
    func tag() throws -> String { try #require(headers[.eTag]) }
}
