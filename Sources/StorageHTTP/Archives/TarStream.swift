import NIOCore
import StorageCore

/// Makes a tar archive while it is sent.
struct TarStream {
    private let source: ArchiveSource

    init(_ source: ArchiveSource) {
        self.source = source
    }

    @concurrent func write(to output: inout ArchiveOutput) async throws {
        var tree = source.tree
        while let (name, listed) = try await tree.next() {
            guard !listed.isFolder else {
                try await output.write(TarWriter.header(of: ArchiveEntry(listed, as: name)))
                continue
            }
            guard let (record, body) = try await source.open(listed) else { continue }
            let entry = ArchiveEntry(record, as: name)
            try await output.write(TarWriter.header(of: entry))
            try await output.write(body, of: entry.size)
            try await output.write(ByteBuffer(bytes: TarWriter.padding(behind: entry.size)))
        }
        try await output.write(TarWriter.end)
    }
}

extension ArchiveOutput {
    /// Sends the bytes of a file whose size was told before.
    @concurrent mutating func write(_ body: ByteStream, of size: Int64) async throws {
        var rest = size
        for try await chunk in body {
            rest -= Int64(chunk.readableBytes)
            guard rest >= 0 else { break }
            try await write(chunk)
        }
        guard rest == 0 else { throw StorageError.archiveBroken }
    }
}
