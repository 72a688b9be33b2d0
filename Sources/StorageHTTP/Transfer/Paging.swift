import HTTPTypes
import StorageCore

/// What the pages of all lists have in common.
extension Call {
    /// The number of entries that the client wants on a page; nil for all of them at once.
    ///
    /// - Throws: 400 for anything but 1 to 1,000.
    func pageLimit() throws -> Int? {
        guard let value = try query.value("limit") else { return nil }
        guard let limit = DecimalNumber.parse(value), (1...Int64(largestLimit)).contains(limit) else {
            throw Problem.invalidLimit
        }
        return Int(limit)
    }

    /// The number of entries that the body of a request asks for.
    ///
    /// - Throws: 422 for anything but 1 to 1,000.
    static func limit(_ value: Int64?, usually usual: Int) throws -> Int {
        guard let value else { return usual }
        guard (1...Int64(largestLimit)).contains(value) else {
            throw StorageError(.unprocessable, "limit: must be a number from 1 to \(largestLimit).")
        }
        return Int(value)
    }

    /// `Link` to the next page (RFC 8288): the same question with another cursor.
    func link(toPageAt cursor: String) -> String {
        var pairs = query.pairs.filter { !$0.name.elementsEqual("cursor".utf8) }
        pairs.append(.init(name: Array("cursor".utf8), value: Array(cursor.utf8)))
        let query = pairs.map { pair in
            "\(PercentEncoding.encodeComponent(pair.name))=\(PercentEncoding.encodeComponent(pair.value))"
        }
        let path = String(decoding: target.path, as: UTF8.self)
        return "<\(url("\(path)?\(query.joined(separator: "&"))"))>; rel=\"next\""
    }
}

extension FormFields {
    /// The number of entries that the body of a request asks for.
    ///
    /// - Throws: 400 for what is no number in a form, 422 for anything else but 1 to 1,000.
    func limit(usually usual: Int) throws -> Int {
        try Call.limit(try integer("limit", malformed: Problem.invalidLimit), usually: usual)
    }
}

/// The largest number of entries that a client may want at once.
private let largestLimit = FileSearch.largestLimit

extension Problem {
    fileprivate static let invalidLimit = Problem(
        .badRequest, "invalid_limit", "limit must be a number from 1 to \(largestLimit).")

    static let invalidCursor = Problem(
        .badRequest, "invalid_cursor", "cursor must be one that a page of this list gave.")
}
