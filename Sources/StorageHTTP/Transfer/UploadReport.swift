import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import StorageCore
import Synchronization

/// An answer that tells of an upload line by line, while its body still arrives.
///
/// Many clients read nothing before they have sent everything, so the bytes of the file never wait for a line to be taken: what
/// arrives meanwhile is told by the next one. The lines grow rarer with the size of the file and are so few that they fit into the
/// buffers of two sockets, whatever its size.
struct UploadReport: Sendable {
    private let upload: UIDUpload
    private let call: Call

    init(_ upload: UIDUpload, _ call: Call) {
        self.upload = upload
        self.call = call
    }

    func answer() -> Answer {
        let headers: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
        return Answer(.ok, headers: headers, content: .written(length: nil) { try await report(to: &$0) })
    }

    @concurrent private func report(to writer: inout any ResponseBodyWriter) async throws {
        let count = ReceivedCount()
        async let result = store(count)
        do {
            for await _ in count.signals {
                if let bytes = count.due() { try await writer.write(line("Received chunk: \(bytes) bytes")) }
            }
            if let bytes = count.rest() { try await writer.write(line("Received chunk: \(bytes) bytes")) }
            guard try await result.record != nil else {
                throw StorageError(.notFound, "The file was deleted while it was being stored.")
            }
        } catch {
            // The head is out: all that is left to say is a last line, and an end that is none.
            let problem = Problem(error)
            if problem.isFault {
                call.logger.error("the request failed", metadata: ["error": "\(error)"])
            }
            try await writer.write(line("Error: \(problem.detail)"))
            throw error
        }
        try await writer.write(line("File saved with UID: \(upload.uid)"))
    }

    private func store(_ count: ReceivedCount) async throws -> FileChangeResult {
        defer { count.finish() }
        return try await upload.store { count.add($0) }
    }

    private func line(_ text: String) -> ByteBuffer {
        ByteBuffer(string: text + "\n")
    }
}

/// Counts bytes on one side, and tells on the other how many came, as often as it is worth a line.
final class ReceivedCount: Sendable {
    private struct State {
        var untold: Int64 = 0
        var told: Int64 = 0

        /// At least 1 MiB, and of a long file an ever larger part: 5 TiB make about 1,500 lines.
        var isWorthTelling: Bool { untold >= max(1 << 20, told / 128) }

        mutating func tell() -> Int64 {
            defer { untold = 0 }
            told += untold
            return untold
        }
    }

    /// Comes when there may be something to tell, and ends with the bytes. To be read once.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ bytes: Int) {
        let isDue = state.withLock { state in
            state.untold += Int64(bytes)
            return state.isWorthTelling
        }
        if isDue { signal.yield() }
    }

    /// Nothing more comes.
    func finish() {
        signal.finish()
    }

    /// What has come since it was told last, if that is worth a line.
    func due() -> Int64? {
        state.withLock { $0.isWorthTelling ? $0.tell() : nil }
    }

    /// What is left to be told at the end, however little; nil when it is nothing.
    func rest() -> Int64? {
        state.withLock { $0.untold > 0 ? $0.tell() : nil }
    }
}
