import Foundation
import Glibc
import Testing

@testable import storaged

@Suite("Where log lines are written")
struct LogTargetTests {
    @Test("a line that is not written counts once, also behind one that was torn")
    func lostLines() throws {
        let path = NSTemporaryDirectory() + "storaged-log-" + UUID().uuidString
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reader, descriptor) = (ends[0], ends[1])
        defer {
            close(reader)
            close(descriptor)
        }
        try #require(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        let target = LogTarget(descriptor: descriptor)

        // More than a pipe holds that nobody reads.
        target.write(Array("whole\n".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20) + Array("\n".utf8))
        #expect(target.lostLines == 1)
        try lead(descriptor, to: "/dev/full")
        for count in 1...5 as ClosedRange<UInt64> {
            target.write(Array("one\ntwo\n".utf8))
            #expect(target.lostLines == 1 + 2 * count)
        }
        try lead(descriptor, to: path)
        target.write(Array("again\n".utf8))
        #expect(target.lostLines == 11)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == "\nagain\n", "The torn line is ended first.")
    }

    private func lead(_ descriptor: Int32, to path: String) throws {
        let opened = open(path, O_WRONLY)
        try #require(opened >= 0)
        defer { close(opened) }
        try #require(dup2(opened, descriptor) == descriptor)
    }
}
