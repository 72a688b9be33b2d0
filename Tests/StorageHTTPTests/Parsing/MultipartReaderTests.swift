import NIOCore
import Synchronization
import Testing

@testable import StorageHTTP

@Suite("Multipart reader")
struct MultipartReaderTests {
    private struct ClientLeft: Error {}

    /// Gives pieces one by one and counts how often it was asked; fails behind the last one when told to.
    private final class Source: Sendable {
        private let state: Mutex<(pieces: [[UInt8]], index: Int)>
        private let failsAtEnd: Bool

        init(_ pieces: [[UInt8]], failsAtEnd: Bool = false) {
            state = Mutex((pieces, 0))
            self.failsAtEnd = failsAtEnd
        }

        var asked: Int { state.withLock { $0.index } }

        func next() throws -> ByteBuffer? {
            let piece = state.withLock { state -> [UInt8]? in
                defer { state.index += 1 }
                return state.index < state.pieces.count ? state.pieces[state.index] : nil
            }
            if piece == nil, failsAtEnd { throw ClientLeft() }
            return piece.map { ByteBuffer(bytes: $0) }
        }
    }

    private static let parts = [
        ReadPart("path", nil, "/a/b.txt"),
        ReadPart("file", "x.bin", Array(repeatElement(Array(0...255), count: 40).joined())),
        ReadPart("last", nil, "end"),
    ]

    private func reader(_ source: Source) throws -> MultipartReader {
        MultipartReader(boundary: try MultipartBoundary(bytes: Array("b".utf8))) { try source.next() }
    }

    private func source(cut size: Int, epilogue: Int = 0) -> Source {
        Source(
            MultipartBody.pieces(
                MultipartBody.write(Self.parts, boundary: "b") + [UInt8](repeating: 0x78, count: epilogue), of: size))
    }

    @Test("gives each part with all of its bytes", arguments: [1, 2, 17, 1_000, 100_000])
    func readsAll(size: Int) async throws {
        let reader = try reader(source(cut: size))
        var read: [ReadPart] = []
        while let head = try await reader.nextPart() {
            let filename = head.filename.map { String(decoding: $0, as: UTF8.self) }
            var part = ReadPart(String(decoding: head.name, as: UTF8.self), filename)
            while let chunk = try await reader.nextChunk() { part.body += Array(chunk.readableBytesView) }
            #expect(try await reader.nextChunk() == nil)
            read.append(part)
        }
        #expect(read == Self.parts)
        #expect(try await reader.nextPart() == nil)
        #expect(try await reader.nextChunk() == nil)
    }

    @Test("passes over a part that is not read to its end", arguments: [1, 64, 100_000])
    func skips(size: Int) async throws {
        let reader = try reader(source(cut: size))
        _ = try await reader.nextPart()
        let file = try #require(try await reader.nextPart())
        #expect(file.isNamed("file"))
        _ = try await reader.nextChunk()
        let last = try #require(try await reader.nextPart())
        #expect(last.isNamed("last"))
        #expect(try await reader.collect() == Array("end".utf8))
        #expect(try await reader.nextPart() == nil)
    }

    @Test("gives no bytes before the first part and between parts")
    func noChunkOutsideParts() async throws {
        let reader = try reader(source(cut: 100_000))
        #expect(try await reader.nextChunk() == nil)
        #expect(try await reader.nextPart()?.isNamed("path") == true)
        #expect(try await reader.collect() == Array("/a/b.txt".utf8))
        #expect(try await reader.nextChunk() == nil)
        #expect(try await reader.collect() == [])
    }

    @Test("asks for no more of the body than it needs, and for all of it at the end")
    func backpressure() async throws {
        let source = source(cut: 1_000, epilogue: 5_000)
        let reader = try reader(source)
        #expect(source.asked == 0)
        _ = try await reader.nextPart()
        #expect(source.asked == 1)
        _ = try await reader.nextPart()
        #expect(source.asked == 1)
        while try await reader.nextPart() != nil {}
        let size = MultipartBody.write(Self.parts, boundary: "b").count + 5_000
        #expect(source.asked == (size + 999) / 1_000 + 1)
        #expect(try await reader.nextPart() == nil)
        #expect(source.asked == (size + 999) / 1_000 + 1)
    }

    @Test("collects a field up to its limit and no further")
    func collects() async throws {
        let field = ReadPart("a", nil, [UInt8](repeating: 0x78, count: MultipartReader.maximumFieldBytes))
        let body = MultipartBody.write([field], boundary: "b")
        let exact = try reader(Source(MultipartBody.pieces(body, of: 999)))
        _ = try await exact.nextPart()
        #expect(try await exact.collect() == field.body)
        let over = try reader(Source(MultipartBody.pieces(body, of: 999)))
        _ = try await over.nextPart()
        let error = await #expect(throws: ParseError.self) { try await over.collect(upTo: field.body.count - 1) }
        #expect(error?.code == .tooLarge)
    }

    @Test("never takes a body that was cut off for a whole one", arguments: [0.01, 0.5, 0.99, 0.999])
    func cutOff(share: Double) async throws {
        let body = MultipartBody.write(Self.parts, boundary: "b")
        let kept = min(Int(Double(body.count) * share), body.count - "--\r\n".utf8.count)
        let reader = try reader(Source(MultipartBody.pieces(Array(body[..<kept]), of: 1_000)))
        let error = await #expect(throws: ParseError.self) {
            while try await reader.nextPart() != nil { while try await reader.nextChunk() != nil {} }
        }
        #expect(error?.code == .invalidMultipart)
        await #expect(throws: ParseError.self) { try await reader.nextPart() }
    }

    @Test("passes an error of the source on, in the part where it happened")
    func sourceFails() async throws {
        let pieces = MultipartBody.pieces(
            Array(MultipartBody.write(Self.parts, boundary: "b").prefix(5_000)), of: 1_000)
        let reader = try reader(Source(pieces, failsAtEnd: true))
        _ = try await reader.nextPart()
        _ = try await reader.nextPart()
        await #expect(throws: ClientLeft.self) { while try await reader.nextChunk() != nil {} }
    }
}
