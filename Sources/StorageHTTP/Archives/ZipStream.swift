import NIOCore
import StorageCore

/// Makes a ZIP archive while it is sent.
struct ZipStream {
    /// For bytes that are compressed in themselves: blocks that are stored as they are.
    private static let none: CInt = 0
    /// On C headers twice as fast as zlib's own choice of 6, for a twentieth more bytes.
    private static let fast: CInt = 4

    private let source: ArchiveSource
    /// By level; each is made when an entry needs it.
    private var deflaters: [CInt: Deflater] = [:]

    init(_ source: ArchiveSource) {
        self.source = source
    }

    @concurrent mutating func write(to output: inout ArchiveOutput) async throws {
        var zip = ZipWriter()
        var directory = ArchiveSpool(source.scratch)
        var tree = source.tree
        while let (name, listed) = try await tree.next() {
            var content: ZipContent?
            if listed.isFolder {
                try await output.write(zip.begin(ArchiveEntry(listed, as: name)))
            } else {
                guard let (record, body) = try await source.open(listed) else { continue }
                let entry = ArchiveEntry(record, as: name)
                try await output.write(zip.begin(entry))
                content = try await deflate(body, of: entry, to: &output)
            }
            try await output.write(zip.end(content))
            try await directory.append(zip.takeDirectory())
        }
        try await output.write(directory.bytes)
        try await output.write(zip.finish())
    }

    @concurrent private mutating func deflate(
        _ body: ByteStream, of entry: ArchiveEntry, to output: inout ArchiveOutput
    ) async throws -> ZipContent {
        let deflater = try deflater(for: entry)
        var content = ZipContent()
        var rest = entry.size
        for try await chunk in body {
            rest -= Int64(chunk.readableBytes)
            let isLast = rest == 0
            let (ready, reached) = try await source.scratch.run { [content] in
                var content = content
                return (try content.deflate(chunk, isLast: isLast, by: deflater), content)
            }
            content = reached
            try await output.write(ready)
        }
        guard rest == 0 else { throw StorageError.archiveBroken }
        return content
    }

    private mutating func deflater(for entry: ArchiveEntry) throws -> Deflater {
        let level = entry.isCompressible ? Self.fast : Self.none
        if let deflater = deflaters[level] { return deflater }
        let deflater = try Deflater(level: level, form: .raw)
        deflaters[level] = deflater
        return deflater
    }
}
