import Foundation
import Glibc
import Testing

@testable import storaged

@Suite("The queue of a log file")
struct LogQueueTests {
    /// More than a pipe holds: who writes it into one is in the middle of it until somebody reads.
    private static let batch = [UInt8](repeating: UInt8(ascii: "a"), count: 200_000)

    @Test("opens the file again however many lines come, and loses none of them")
    func reopensUnderLoad() async throws {
        let folder = NSTemporaryDirectory() + "storaged-log-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/storaged.log"
        try #require(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        try #require(reader >= 0)
        defer { close(reader) }

        let queue = LogQueue(try LogTarget(path: path))
        queue.append(Self.batch)
        try #require(rename(path, path + ".1") == 0)
        queue.reopen()
        var (rounds, received) = (0, 0)
        while access(path, F_OK) != 0, rounds < 20 {
            // Before the write that is under way can end: there is always something more.
            queue.append(Self.batch)
            rounds += 1
            received += try await receive(Self.batch.count, from: reader) { access(path, F_OK) == 0 }
        }
        #expect(rounds < 20, "The file was not opened again while lines came.")
        var rest = 0
        repeat {
            rest = try await receive(Self.batch.count, from: reader, seconds: 0.2)
            received += rest
        } while rest > 0
        await queue.flush()
        let written = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(received + (written ?? 0) == (rounds + 1) * Self.batch.count)
    }

    /// Takes so many bytes out of a pipe, or fewer where none come for a while or they are not wanted any more.
    private func receive(
        _ count: Int, from reader: Int32, seconds: Double = 5, unless isOver: () -> Bool = { false }
    ) async throws -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        var received = 0
        var end = ContinuousClock.now + .seconds(seconds)
        while received < count, !isOver(), ContinuousClock.now < end {
            let taken = read(reader, &buffer, count - received)
            guard taken > 0 else {
                try await Task.sleep(for: .milliseconds(1))
                continue
            }
            received += taken
            end = ContinuousClock.now + .seconds(seconds)
        }
        return received
    }
}
