import NIOCore
import StorageCore

/// What archives take while they are made: threads that compress, and room on disk for lists that grow with every entry.
struct ArchiveScratch: Sendable {
    // Half of the processors, so that archives never keep everybody else from being served.
    private let threads = BlockingPool(threads: System.coreCount / 2, queue: 0)
    // Each takes about 2 MiB at most: a page of entries, 512 KiB to compress with, 64 KiB of each list, what is on its way to the client.
    // That is 128 MiB of all together, and what half of the processors make goes round among them: of more, none would come on.
    private let places = SharedPlaces<ContainerID?>(most, share: mostOfOne)
    private let directory: String

    /// How many archives may be on their way.
    static let most = 64
    /// How many of them may be of the same container: a client that reads slowly keeps its place as long as it reads at all.
    static let mostOfOne = 16

    /// - Parameter directory: Where the lists lie that are too long for memory, in files without a name; it must be there.
    init(directory: String) {
        self.directory = directory
    }

    /// Admits one more archive of a container, as long as its place is kept.
    ///
    /// - Throws: ``StorageError/Code/unavailable`` where as many are being sent as there may be.
    func admit(of container: ContainerID?) throws -> SharedPlaces<ContainerID?>.Place {
        guard let place = places.take(for: container) else {
            throw StorageError(
                .unavailable, "Too many archives are being sent. Try again a little later.", isTransient: true,
                retryAfter: .seconds(10))
        }
        return place
    }

    /// Runs blocking work of an archive; there is one such job at a time for each that is being sent.
    func run<T: Sendable>(_ job: @escaping @Sendable () throws -> T) async throws -> T {
        try await threads.runRegardless(job)
    }

    func makeFile() throws -> ScratchFile {
        try ScratchFile(in: directory)
    }
}

/// Bytes that are written first and read afterwards: in memory while they are few, in a file beyond.
struct ArchiveSpool: Sendable {
    private static let chunk = 64 << 10

    private let scratch: ArchiveScratch
    private var file: ScratchFile?
    private var fileSize: Int64 = 0
    private var memory = ByteBuffer()

    init(_ scratch: ArchiveScratch) {
        self.scratch = scratch
    }

    mutating func append(_ bytes: ByteBuffer) async throws {
        var bytes = bytes
        memory.writeBuffer(&bytes)
        guard memory.readableBytes >= Self.chunk else { return }
        file = try await scratch.run { [scratch, file, memory] in
            let file = try file ?? scratch.makeFile()
            try file.append(memory)
            return file
        }
        fileSize += Int64(memory.readableBytes)
        memory = ByteBuffer()
    }

    /// All that was written so far; again and again.
    var bytes: ByteStream {
        ByteStream(length: fileSize + Int64(memory.readableBytes), isReplayable: true) { [self] in
            var position: Int64 = 0
            var rest: ByteBuffer? = memory
            return {
                let start = position
                let count = Int(min(fileSize - start, Int64(Self.chunk)))
                guard let file, count > 0 else {
                    defer { rest = nil }
                    return rest
                }
                position += Int64(count)
                return try await scratch.run { try file.bytes(at: start, count: count) }
            }
        }
    }
}
