import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore

/// The download of a file: conditions, ranges and fields are decided from its record, before any byte is opened (RFC 9110).
struct Download {
    /// What the record and the request's fields lead to.
    private struct Plan: Sendable {
        let answer: Answer
        let revision: Revision?
    }

    private let call: Call
    private let isPublic: Bool

    /// - Parameter isPublic: The file is handed to anybody, under the name that it was sent with: its path is the owner's business, and
    ///   they get no more fields than they need.
    init(_ call: Call, isPublic: Bool = false) {
        self.call = call
        self.isPublic = isPublic
    }

    /// The bytes of the file that is meant, or as much of them as the request asks for.
    func answer(_ selector: FileSelector) async throws -> Answer {
        let (plan, content) = try await call.storage.read(selector) { record -> (Plan, ByteRange?) in
            let (answer, range) = try self.plan(for: record)
            let isSent = range != nil && !call.isHead
            return (Plan(answer: answer, revision: record.revision), isSent ? range : nil)
        }
        guard let content, let revision = plan.revision else { return plan.answer }
        var answer = plan.answer
        answer.content = body(of: content, revision)
        return answer
    }

    /// The same answer, where the bytes are in memory; nil where they have to be asked for.
    func recall(_ selector: FileSelector, on eventLoop: any EventLoop) throws -> Recalled<Answer>? {
        if let (plan, bytes) = try call.storage.recall(selector, plan: recallable) {
            return .now(plan.with(bytes))
        }
        return call.storage.recall(selector, on: eventLoop, plan: recallable)
            .map { .soon($0.map { $0.map { $0.plan.with($0.bytes) } }) }
    }

    @Sendable private func recallable(_ record: FileRecord) throws -> (Answer, ByteRange?) {
        let (answer, range) = try plan(for: record)
        return (answer, call.isHead ? nil : range)
    }

    /// The head of the answer, and the part of the file that it goes with.
    private func plan(for record: FileRecord) throws -> (Answer, ByteRange?) {
        guard let revision = record.revision else {
            throw Problem(.badRequest, "is_folder", "\(record.path) is a folder; only files can be downloaded.")
        }
        let headers = call.headers
        let tag = EntityTag(revision.id.description)
        let lastModified = revision.createdAt.seconds
        let now = Timestamp.now().seconds
        try Precondition(headers).checkUnchanged(revision)
        var fields = validators(of: revision)
        if isUnmodified(tag, since: lastModified, now) { return (Answer(.notModified, headers: fields), nil) }

        describe(record, revision, in: &fields)
        if !isPublic, DigestClaims.wantsSHA256(headers[values: .wantReprDigest]) {
            fields[.reprDigest] = revision.digestField
        }
        fields[.acceptRanges] = "bytes"
        let whole = 0..<revision.size
        guard let value = headers[.range], !call.isHead, isRangeValid(tag, lastModified, now) else {
            return (sized(.ok, fields, whole), whole)
        }
        switch RangeHeader.parse(value, size: revision.size) {
        case .ranges(let ranges) where ranges.count == 1:
            fields[.contentRange] = RangeHeader.contentRange(ranges[0], size: revision.size)
            return (sized(.partialContent, fields, ranges[0]), ranges[0])
        case .whole, .ranges:
            return (sized(.ok, fields, whole), whole)
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "range_not_satisfiable", "The file has \(revision.size) bytes.",
                headers: [.contentRange: RangeHeader.unsatisfiedContentRange(size: revision.size)])
        }
    }

    private func sized(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ range: ByteRange) -> Answer {
        let length = range.upperBound - range.lowerBound
        return Answer(status, headers: fields, content: .written(length: length) { _ in })
    }

    private func validators(of revision: Revision) -> HTTPFields {
        [
            .eTag: "\"\(revision.id)\"",
            .lastModified: HTTPDate.format(revision.createdAt.seconds),
            .cacheControl: isPublic ? "public, max-age=3600" : "private, no-cache",
            .vary: "Authorization, X-Auth-Token",
        ]
    }

    /// The stored type goes back as it is; the other fields make it harmless in a browser.
    private func describe(_ record: FileRecord, _ revision: Revision, in fields: inout HTTPFields) {
        let wantsInline = (try? call.query.value("inline")).flatMap { $0 }?.elementsEqual("1".utf8) ?? false
        let sentName = isPublic ? revision.sentName.map { Array($0.utf8) } : nil
        let name = sentName ?? Array(record.path.name)
        fields[.contentType] = revision.mediaType.description
        fields[.contentDisposition] =
            wantsInline && revision.mediaType.isInlineSafe
            ? ContentDisposition.inline(name) : ContentDisposition.attachment(name)
        fields[.xContentTypeOptions] = "nosniff"
        fields[.contentSecurityPolicy] = "default-src 'none'; sandbox"
        fields[.crossOriginResourcePolicy] = "same-origin"
    }

    private func isUnmodified(_ tag: EntityTag, since lastModified: Int64, _ now: Int64) -> Bool {
        let headers = call.headers
        if let condition = try? EntityTagCondition.parse(headers[values: .ifNoneMatch]) {
            return condition.isMatchedWeakly(by: tag)
        }
        guard let date = headers[.ifModifiedSince].flatMap({ HTTPDate.parse($0, now: now) }) else { return false }
        return lastModified <= date
    }

    private func isRangeValid(_ tag: EntityTag, _ lastModified: Int64, _ now: Int64) -> Bool {
        guard let value = call.headers[.ifRange] else { return true }
        return IfRange.parse(value, now: now)?.isSatisfied(tag: tag, lastModified: lastModified) ?? false
    }

    /// A blob in a local file leaves by `sendfile` where the connection allows it, and as a stream of chunks everywhere else.
    private func body(of content: BlobContent, _ revision: Revision) -> Answer.Content {
        let length = content.range.upperBound - content.range.lowerBound
        if case .bytes(let bytes) = content.body { return .bytes(bytes) }
        if case .file(let file, _) = content.body, let sender = call.channel.flatMap({ FileSender($0) }) {
            return .written(length: length) { _ in
                try await sender.send(
                    fileDescriptor: file.descriptor, offset: content.range.lowerBound, length: length)
                withExtendedLifetime(file) {}
            }
        }
        let stream = call.storage.stream(content, of: revision)
        return .written(length: length) { writer in
            for try await chunk in stream { try await writer.write(chunk) }
        }
    }
}

extension Answer {
    fileprivate func with(_ bytes: ByteBuffer?) -> Answer {
        guard let bytes else { return self }
        var answer = self
        answer.content = .bytes(bytes)
        return answer
    }
}

extension Precondition {
    /// `If-Match` and `If-Unmodified-Since` of a read; `If-None-Match` leads to 304 there, not to 412.
    fileprivate func checkUnchanged(_ revision: Revision) throws {
        var condition = self
        condition.ifNoneMatch = nil
        try condition.check(revision)
    }
}
