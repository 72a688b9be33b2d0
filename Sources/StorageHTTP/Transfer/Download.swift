import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore

/// The download of a file: conditions, ranges and fields are decided from its record, before any byte is opened (RFC 9110).
struct Download {
    let call: Call
    private let isPublic: Bool
    private let isOfRevision: Bool

    /// - Parameters:
    ///   - isPublic: The file is handed to anybody, under the name that it was sent with: its path is the owner's business, and they get
    ///     no more fields than they need.
    ///   - isOfRevision: A revision is asked for, which has the name that it was sent with.
    init(_ call: Call, isPublic: Bool = false, isOfRevision: Bool = false) {
        self.call = call
        self.isPublic = isPublic
        self.isOfRevision = isOfRevision
    }

    /// The bytes of the file that is meant, or as much of them as the request asks for.
    func answer(_ selector: FileSelector) async throws -> Answer {
        let ((plan, permit), content) = try await call.storage.read(selector) {
            record -> ((Plan, Compressor.Permit?), ByteRange?) in
            let (plan, permit) = try self.admittedPlan(for: record)
            return ((plan, permit), call.isHead ? nil : plan.range)
        }
        guard let content, let revision = plan.revision else { return plan.answer }
        var answer = plan.answer
        switch plan.form {
        case .none: break
        case .part:
            if let redirected = redirected(answer, to: content, of: revision) { return redirected }
            answer.content = body(of: content, revision)
        case .parts(let parts): answer.content = body(of: parts, from: content, revision)
        case .gzip:
            guard let permit else { throw StorageError(.internal, "Gzip was planned without a permit.") }
            answer.content = try await compressed(content, revision, permit)
        }
        return answer
    }

    /// The same answer, where the bytes are in memory; nil where they have to be asked for.
    func recall(_ selector: FileSelector, on eventLoop: any EventLoop) throws -> Recalled<Answer>? {
        if let (plan, bytes) = try call.storage.recall(selector, plan: recallable) {
            return plan.recalled(bytes).map { .now($0) }
        }
        return call.storage.recall(selector, on: eventLoop, plan: recallable)
            .map { .soon($0.map { $0.flatMap { $0.plan.recalled($0.bytes) } }) }
    }

    @Sendable private func recallable(_ record: FileRecord) throws -> (Plan, ByteRange?) {
        let plan = try self.plan(for: record, inGzip: call.welcomesGzip)
        return (plan, call.isHead ? nil : plan.range)
    }

    /// The plan, with the permit that it takes: without one the file is sent as it is.
    private func admittedPlan(for record: FileRecord) throws -> (Plan, Compressor.Permit?) {
        let plan = try self.plan(for: record, inGzip: call.welcomesGzip)
        guard case .gzip = plan.form, !call.isHead else { return (plan, nil) }
        guard let permit = call.compressor.permit() else { return (try self.plan(for: record, inGzip: false), nil) }
        return (plan, permit)
    }

    /// The head of the answer, and the parts of the file that it goes with.
    ///
    /// - Parameter inGzip: Whether the file may be sent in gzip.
    private func plan(for record: FileRecord, inGzip: Bool) throws -> Plan {
        guard let revision = record.revision else {
            throw Problem(.badRequest, "is_folder", "\(record.path) is a folder; only files can be downloaded.")
        }
        guard isPlain, !(inGzip && isCompressible(revision)) else {
            return try plan(for: record, revision, inGzip: inGzip)
        }
        if let head = call.services.heads.head(of: record, revision, isPublic: isPublic) {
            return Plan(answer: head, form: .part(0..<revision.size), revision: revision)
        }
        let plan = try plan(for: record, revision, inGzip: false)
        call.services.heads.keep(plan.answer, of: record, revision, isPublic: isPublic)
        return plan
    }

    /// Whether the request asks for the whole file, whatever it is, with no fields but those that every client gets.
    private var isPlain: Bool {
        !isOfRevision && !call.query.contains("inline")
            && !call.headers.contains { Self.choosing.contains($0.name) }
    }

    /// The fields by which a request chooses what it gets of a file.
    private static let choosing: Set<HTTPField.Name> = [
        .ifMatch, .ifModifiedSince, .ifNoneMatch, .ifRange, .ifUnmodifiedSince, .range, .wantReprDigest,
    ]

    private func isCompressible(_ revision: Revision) -> Bool {
        revision.size >= Compressor.leastBytes && revision.mediaType.isWorthGzip
    }

    private func plan(for record: FileRecord, _ revision: Revision, inGzip: Bool) throws -> Plan {
        let headers = call.headers
        let tag = EntityTag(revision.id.description)
        let lastModified = record.modifiedAt.seconds
        let now = Timestamp.now().seconds
        try Precondition(headers).checkUnchanged(record)
        let wantsDigest = !isPublic && DigestClaims.wantsSHA256(headers[values: .wantReprDigest])
        let isCompressible = isCompressible(revision)
        // A digest of the representation is one of its coded form, and parts are always of the file as it is.
        let isGzipped = inGzip && isCompressible && !wantsDigest && headers[.range] == nil
        var fields = validators(of: record, revision, isCompressible: isCompressible, isGzipped: isGzipped)
        // What the client would get, and what else it may have and use.
        let tags = isGzipped ? [tag.gzipped, tag] : call.welcomesGzip && isCompressible ? [tag, tag.gzipped] : [tag]
        if let known = unmodified(tags, since: lastModified, now) {
            fields[.eTag] = known.text
            return Plan(answer: Answer(.notModified, headers: fields))
        }

        describe(record, revision, in: &fields)
        if isGzipped { return gzip(revision, fields) }
        if wantsDigest { fields[.reprDigest] = revision.digestField }
        fields[.acceptRanges] = "bytes"
        let whole = 0..<revision.size
        guard let value = headers[.range], !call.isHead, isRangeValid(tag, lastModified, now) else {
            return Plan(part: whole, .ok, fields, revision)
        }
        switch RangeHeader.parse(value, size: revision.size) {
        case .ranges(let ranges) where ranges.count == 1:
            fields[.contentRange] = RangeHeader.contentRange(ranges[0], size: revision.size)
            return Plan(part: ranges[0], .partialContent, fields, revision)
        case .ranges(let ranges):
            let parts = try MultipartByteRanges(ranges, of: revision)
            fields[.contentType] = parts.contentType
            let answer = Answer(
                .partialContent, headers: fields, content: .written(length: parts.length) { _ in })
            return Plan(answer: answer, form: .parts(parts), revision: revision)
        case .whole:
            return Plan(part: whole, .ok, fields, revision)
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "range_not_satisfiable", "The file has \(revision.size) bytes.",
                headers: [.contentRange: RangeHeader.unsatisfiedContentRange(size: revision.size)])
        }
    }

    /// The whole file in gzip; at once where it was compressed before.
    private func gzip(_ revision: Revision, _ fields: HTTPFields) -> Plan {
        var fields = fields
        fields[.contentEncoding] = "gzip"
        if revision.isIntact, let bytes = call.compressor.result(of: revision.blob) {
            return Plan(answer: Answer(.ok, headers: fields, content: .bytes(bytes)))
        }
        let answer = Answer(.ok, headers: fields, content: .written(length: nil) { _ in })
        return Plan(answer: answer, form: .gzip, revision: revision)
    }

    private func validators(
        of record: FileRecord, _ revision: Revision, isCompressible: Bool, isGzipped: Bool
    ) -> HTTPFields {
        [
            .eTag: isGzipped ? "\"\(revision.id)-gzip\"" : "\"\(revision.id)\"",
            .lastModified: HTTPDate.format(record.modifiedAt.seconds),
            .cacheControl: isPublic ? "public, max-age=3600" : "private, no-cache",
            .vary: isCompressible ? "Authorization, X-Auth-Token, Accept-Encoding" : "Authorization, X-Auth-Token",
        ]
    }

    /// The stored type goes back as it is; the other fields make it harmless in a browser.
    private func describe(_ record: FileRecord, _ revision: Revision, in fields: inout HTTPFields) {
        let wantsInline = (try? call.query.value("inline")).flatMap { $0 }?.elementsEqual("1".utf8) ?? false
        let sentName = isPublic || isOfRevision ? revision.sentName.map { Array($0.utf8) } : nil
        let name = sentName ?? Array(record.path.name)
        fields[.contentType] = revision.mediaType.description
        fields[.contentDisposition] =
            wantsInline && revision.mediaType.isInlineSafe
            ? ContentDisposition.inline(name) : ContentDisposition.attachment(name)
        Self.makeHarmless(&fields)
    }

    /// Whatever the bytes are, a browser runs no script of them and no other origin's page has them.
    static func makeHarmless(_ fields: inout HTTPFields) {
        fields[.xContentTypeOptions] = "nosniff"
        fields[.contentSecurityPolicy] = "default-src 'none'; sandbox"
        fields[.crossOriginResourcePolicy] = "same-origin"
    }

    /// The tag of what the client has and may go on to use (RFC 9110 section 13.1.2); nil where it has to be sent anew.
    private func unmodified(_ tags: [EntityTag], since lastModified: Int64, _ now: Int64) -> EntityTag? {
        let headers = call.headers
        if let condition = try? EntityTagCondition.parse(headers[values: .ifNoneMatch]) {
            return tags.first(where: condition.isMatchedWeakly)
        }
        guard let date = headers[.ifModifiedSince].flatMap({ HTTPDate.parse($0, now: now) }) else { return nil }
        return lastModified <= date ? tags.first : nil
    }

    private func isRangeValid(_ tag: EntityTag, _ lastModified: Int64, _ now: Int64) -> Bool {
        guard let value = call.headers[.ifRange] else { return true }
        return IfRange.parse(value, now: now)?.isSatisfied(tag: tag, lastModified: lastModified) ?? false
    }

    private func body(of content: BlobContent, _ revision: Revision) -> Answer.Content {
        if case .bytes(let bytes) = content.body { return .bytes(bytes) }
        let sender = sender
        return .written(length: content.range.upperBound - content.range.lowerBound) { writer in
            try await send(content, revision, sender, to: &writer)
        }
    }

    /// Several parts, of which the first is open.
    private func body(
        of parts: MultipartByteRanges, from first: BlobContent, _ revision: Revision
    ) -> Answer.Content {
        let sender = sender
        return .written(length: parts.length) { writer in
            for (index, range) in parts.ranges.enumerated() {
                try await writer.write(parts.head(of: index))
                let content = index == 0 ? first : try await call.storage.part(range, of: revision)
                try await send(content, revision, sender, to: &writer)
            }
            try await writer.write(parts.end)
        }
    }

    /// A small file is compressed before the head is sent, and has a length then.
    private func compressed(
        _ content: BlobContent, _ revision: Revision, _ permit: Compressor.Permit
    ) async throws -> Answer.Content {
        if case .bytes(let bytes) = content.body {
            return .bytes(try await call.compressor.compress(bytes, of: revision.blob, permit))
        }
        let stream = call.compressor.compress(
            call.storage.stream(content, of: revision), of: revision.blob, size: revision.size, permit)
        return .written(length: nil) { writer in
            for try await chunk in stream { try await writer.write(chunk) }
        }
    }

    /// What sends files where the connection can do that.
    private var sender: FileSender? { call.channel.flatMap { FileSender($0) } }

    /// A blob in a local file leaves by `sendfile` where the connection allows it, and as a stream of chunks everywhere else.
    @concurrent private func send(
        _ content: BlobContent, _ revision: Revision, _ sender: FileSender?, to writer: inout any ResponseBodyWriter
    ) async throws {
        if case .file(let file, _) = content.body, let sender {
            try await sender.send(
                fileDescriptor: file.descriptor, offset: content.range.lowerBound, length: Int64(content.range.count))
            withExtendedLifetime(file) {}
        } else {
            for try await chunk in call.storage.stream(content, of: revision) { try await writer.write(chunk) }
        }
    }
}

extension Precondition {
    /// `If-Match` and `If-Unmodified-Since` of a read; `If-None-Match` leads to 304 there, not to 412.
    func checkUnchanged(_ record: FileRecord) throws {
        var condition = self
        condition.ifNoneMatch = nil
        try condition.check(record)
    }
}
