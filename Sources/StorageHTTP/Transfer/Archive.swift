import HTTPTypes
import NIOCore
import StorageCore

/// The download of a file or folder as an archive, which is made while it is sent.
///
/// The archive of a folder that changes meanwhile is valid: as zip and tar it has each file as it was when its turn came, as 7z as it was
/// when the archive began. Where the bytes of a file are damaged it breaks off, and as 7z also where they were collected meanwhile.
struct Archive {
    private let call: Call
    private let format: ArchiveFormat

    init(_ call: Call, _ format: ArchiveFormat) {
        self.call = call
        self.format = format
    }

    /// The archive of the file or folder that is meant.
    func answer(_ selector: FileSelector) async throws -> Answer {
        // What can be refused is refused while there is a status to say it with.
        let (root, content) = try await call.storage.read(selector) { record -> (FileRecord, ByteRange?) in
            guard let revision = record.revision else { return (record, nil) }
            try Precondition(call.headers).checkUnchanged(record)
            return (record, call.isHead ? nil : 0..<revision.size)
        }
        let place = call.isHead ? nil : try call.services.archives.admit(of: selector.container)
        var body: ByteStream?
        if let content, let revision = root.revision { body = call.storage.stream(content, of: revision) }
        let source = ArchiveSource(root, body: body, in: call.storage, scratch: call.services.archives)
        return Answer(
            .ok, headers: fields(of: root),
            content: .written(length: nil) { [format] writer in
                var output = ArchiveOutput(to: writer)
                try await format.write(source, to: &output)
                withExtendedLifetime(place) {}
                writer = output.writer
            })
    }

    /// An archive is never twice the same, so it has neither an entity tag nor ranges.
    private func fields(of root: FileRecord) -> HTTPFields {
        var fields: HTTPFields = [
            .contentType: format.mediaType,
            .contentDisposition: ContentDisposition.attachment(root.path.name + Array(".\(format.rawValue)".utf8)),
            .acceptRanges: "none",
            .vary: "Authorization, X-Auth-Token",
        ]
        Download.makeHarmless(&fields)
        return fields
    }
}

extension Call {
    /// The archive that the client wants in place of the file itself.
    ///
    /// - Throws: 400 for one that nobody makes.
    func archiveFormat() throws -> ArchiveFormat? {
        guard let text = try query.text("compression") else { return nil }
        guard let format = ArchiveFormat(rawValue: text) else {
            throw Problem(.badRequest, "unknown_compression", "compression must be one of zip, tar and 7z.")
        }
        return format
    }
}
