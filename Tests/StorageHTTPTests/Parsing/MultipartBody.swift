import NIOCore

@testable import StorageHTTP

/// One part as a test expects it.
struct ReadPart: Equatable, Sendable {
    var name: String
    var filename: String?
    var body: [UInt8]

    init(_ name: String, _ filename: String? = nil, _ body: String = "") {
        self.init(name, filename, Array(body.utf8))
    }

    init(_ name: String, _ filename: String?, _ body: [UInt8]) {
        self.name = name
        self.filename = filename
        self.body = body
    }
}

/// Drives the parser over a body that is cut into pieces and puts the parts together again.
enum MultipartBody {
    static func read(
        _ pieces: [[UInt8]], boundary: String = "b"
    ) throws(ParseError) -> [ReadPart] {
        var parser = MultipartParser(boundary: try MultipartBoundary(bytes: Array(boundary.utf8)))
        var assembly = Assembly()
        for piece in pieces {
            parser.feed(ByteBuffer(bytes: piece))
            while let event = try parser.nextEvent() { assembly.take(event) }
        }
        try parser.finish()
        while let event = try parser.nextEvent() { assembly.take(event) }
        if parser.isComplete == false || assembly.isSound == false || assembly.hasEnded == false {
            throw ParseError(.invalidMultipart, "test: the events are out of order")
        }
        return assembly.parts
    }

    static func pieces(_ body: [UInt8], of size: Int) -> [[UInt8]] {
        stride(from: 0, to: body.count, by: size).map { Array(body[$0..<min($0 + size, body.count)]) }
    }

    /// `|` stands for CR LF.
    static func bytes(_ text: String) -> [UInt8] {
        text.utf8.flatMap { $0 == 0x7C ? [0x0D, 0x0A] : [$0] }
    }

    /// A body as a client writes it, made without the parser's help.
    static func write(_ parts: [ReadPart], boundary: String) -> [UInt8] {
        var body: [UInt8] = []
        for part in parts {
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"".utf8)
            if let filename = part.filename { body += Array("; filename=\"\(filename)\"".utf8) }
            body += Array("\r\n\r\n".utf8) + part.body + Array("\r\n".utf8)
        }
        return body + Array("--\(boundary)--\r\n".utf8)
    }

    private struct Assembly {
        var parts: [ReadPart] = []
        var isInPart = false
        var hasEnded = false
        var isSound = true

        mutating func take(_ event: MultipartParser.Event) {
            if hasEnded { isSound = false }
            switch event {
            case .partBegin(let head):
                if isInPart { isSound = false }
                isInPart = true
                let filename = head.filename.map { String(decoding: $0, as: UTF8.self) }
                parts.append(ReadPart(String(decoding: head.name, as: UTF8.self), filename))
            case .partBody(let bytes):
                if isInPart == false || bytes.readableBytes == 0 || parts.isEmpty {
                    isSound = false
                    return
                }
                parts[parts.count - 1].body.append(contentsOf: bytes.readableBytesView)
            case .partEnd:
                if isInPart == false { isSound = false }
                isInPart = false
            case .end:
                if isInPart { isSound = false }
                hasEnded = true
            }
        }
    }
}
