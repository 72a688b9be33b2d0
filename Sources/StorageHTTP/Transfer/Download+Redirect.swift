import HTTPTypes
import StorageCore

/// Downloads that a proxy in front sends by itself: it is told where the blob lies, and reads the file.
extension Download {
    /// The answer that tells the proxy so; nil where the bytes have to come from here.
    ///
    /// The proxy takes such an answer for a whole file and makes the range that the client asked for itself. What it would understand
    /// in another way than this server, conditions and ranges out of the ordinary, it is not asked.
    func redirected(_ answer: Answer, to content: BlobContent, of revision: Revision) -> Answer? {
        guard case .file = content.body, let prefix = call.services.redirectPrefix, call.peer.isTrustedProxy,
            call.headers[.xSendfileType].map({ $0.utf8.elementsEqual("X-Accel-Redirect".utf8) }) ?? false,
            !call.headers.contains(where: { Self.conditions.contains($0.name) }),
            call.headers[values: .range].count <= 1, call.headers[.range].map({ Self.isOneRange($0) }) ?? true
        else { return nil }
        var answer = answer
        answer.status = .ok
        answer.headers[.contentRange] = nil
        // The proxy writes its own beside it.
        answer.headers[.acceptRanges] = nil
        answer.headers[.xAccelRedirect] = prefix + revision.blob.name
        answer.content = .none
        return answer
    }

    private static let conditions: Set<HTTPField.Name> = [
        .ifMatch, .ifModifiedSince, .ifNoneMatch, .ifRange, .ifUnmodifiedSince,
    ]

    /// `bytes=0-99`, `bytes=100-`, `bytes=-50`: what everybody understands in the same way. One that ends before it begins is none here (RFC
    /// 9110 section 14.1.1), and an error to others.
    static func isOneRange(_ value: String) -> Bool {
        let unit = "bytes=".utf8
        guard value.utf8.starts(with: unit) else { return false }
        let ends = value.utf8.dropFirst(unit.count).split(
            separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, !ends.allSatisfy(\.isEmpty), ends.allSatisfy({ $0.count < 19 }) else { return false }
        let numbers = ends.map { $0.isEmpty ? nil : DecimalNumber.parse($0) }
        guard zip(ends, numbers).allSatisfy({ $0.isEmpty || $1 != nil }) else { return false }
        guard let first = numbers[0], let last = numbers[1] else { return true }
        return first <= last
    }
}

extension HTTPField.Name {
    static let xAccelRedirect = makeProxy("X-Accel-Redirect")
    static let xSendfileType = makeProxy("X-Sendfile-Type")

    // The names are tokens, so the other name is never used.
    private static func makeProxy(_ name: String) -> HTTPField.Name {
        HTTPField.Name(name) ?? .trailer
    }
}
