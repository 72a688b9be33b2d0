import NIOCore
import StorageCore

/// Makes a 7z archive while it is sent: first a plan of all its entries, then what the plan says.
///
/// A file that is overwritten or deleted meanwhile is in the archive as it was planned: its bytes stay for the grace period. Where
/// that is over, the archive breaks off.
struct SevenZipStream {
    private let source: ArchiveSource

    init(_ source: ArchiveSource) {
        self.source = source
    }

    @concurrent func write(to output: inout ArchiveOutput) async throws {
        let plan = try await plan()
        let header = plan.header
        var crc = CRC32()
        for bytes in header {
            for try await chunk in bytes { crc.update(chunk) }
        }
        let headerSize = header.reduce(0) { $0 + ($1.length ?? 0) }
        try await output.write(plan.writer.signatureHeader(headerSize: headerSize, headerCRC: crc.value))
        try await writeContents(plan.contents, to: &output)
        for bytes in header { try await output.write(bytes) }
    }

    /// The lists of the header, and where the bytes of the files lie.
    private struct Plan {
        var writer = SevenZipWriter()
        var lists: [ArchiveSpool]
        var contents: ArchiveSpool

        init(_ scratch: ArchiveScratch) {
            lists = SevenZipWriter.List.allCases.map { _ in ArchiveSpool(scratch) }
            contents = ArchiveSpool(scratch)
        }

        mutating func collect() async throws {
            for list in SevenZipWriter.List.allCases {
                try await lists[list.rawValue].append(writer.take(list))
            }
        }

        var header: [ByteStream] {
            writer.header().map { piece in
                switch piece {
                case .bytes(let bytes): ByteStream(bytes)
                case .list(let list): lists[list.rawValue].bytes
                }
            }
        }
    }

    private func plan() async throws -> Plan {
        var plan = Plan(source.scratch)
        var tree = source.tree
        while let (name, record) = try await tree.next() {
            plan.writer.add(ArchiveEntry(record, as: name))
            try await plan.collect()
            if let revision = record.revision, revision.size > 0 {
                try await plan.contents.append(PlannedContent(revision).bytes)
            }
        }
        plan.writer.finish()
        try await plan.collect()
        return plan
    }

    @concurrent private func writeContents(_ planned: ArchiveSpool, to output: inout ArchiveOutput) async throws {
        var rest = ByteBuffer()
        for try await var chunk in planned.bytes {
            rest.writeBuffer(&chunk)
            while let content = PlannedContent(from: &rest) {
                let revision = content.revision
                guard let body = try await source.bytes(of: revision) else { throw StorageError.archiveBroken }
                try await output.write(body, of: revision.size)
            }
            rest.discardReadBytes()
        }
    }
}

/// Where the bytes of a planned file lie, in as few bytes as that takes.
private struct PlannedContent {
    private static let size = 88

    let revision: Revision

    init(_ revision: Revision) {
        self.revision = revision
    }

    /// Takes the next off the front; nil when it is not whole.
    init?(from buffer: inout ByteBuffer) {
        guard buffer.readableBytes >= Self.size,
            let id = buffer.readBytes(length: 16).flatMap({ RevisionID(bytes: $0) }),
            let space = buffer.readBytes(length: 16).flatMap({ Identifier<Container>(bytes: $0) }),
            let digest = buffer.readBytes(length: 32).flatMap({ BlobDigest(bytes: $0) }),
            let (generation, size, isIntact) = buffer.readMultipleIntegers(as: (Int64, Int64, Int64).self)
        else { return nil }
        revision = Revision(
            id: id, blob: BlobKey(space: Space(id: space), digest: digest, generation: generation), size: size,
            mediaType: .octetStream, sentName: nil, createdAt: Timestamp(microseconds: 0), isIntact: isIntact != 0)
    }

    var bytes: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeBytes(revision.id.bytes)
        bytes.writeBytes(revision.blob.space.id.bytes)
        bytes.writeBytes(revision.blob.digest.bytes)
        bytes.writeMultipleIntegers(revision.blob.generation, revision.size, Int64(revision.isIntact ? 1 : 0))
        return bytes
    }
}
