import NIOCore
import NIOPosix

/// A TCP client that sends exactly the bytes it is given and takes answers apart by itself, so that nothing between the
/// test and the wire repairs a mistake on either side.
struct RawClient {
    struct UnexpectedEnd: Error {}

    let channel: any Channel
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ByteBuffer()

    static func connect<R>(
        port: Int, receiveBuffer: Int? = nil, _ body: (inout RawClient) async throws -> R
    ) async throws -> R {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connectTimeout(.seconds(10))
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBuffer)
        }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(
                        backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
                        isOutboundHalfClosureEnabled: true
                    )
                )
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            var client = RawClient(
                channel: channel.channel, outbound: outbound, inbound: inbound.makeAsyncIterator())
            return try await body(&client)
        }
    }

    private init(
        channel: any Channel,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    ) {
        self.channel = channel
        self.outbound = outbound
        self.inbound = inbound
    }

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    func send(_ bytes: ByteBuffer) async throws {
        try await outbound.write(bytes)
    }

    /// Closes the sending side only.
    func finishSending() {
        outbound.finish()
    }

    /// Sends in the background while the caller reads; a connection that ends meanwhile is not an error of the sender.
    var sender: @Sendable (ByteBuffer) async throws -> Void {
        { [outbound] bytes in try await outbound.write(bytes) }
    }

    /// Receives something more.
    ///
    /// - Returns: `false` at the end of the connection.
    @discardableResult
    mutating func receiveMore() async throws -> Bool {
        guard var bytes = try await inbound.next(isolation: #isolation) else { return false }
        received.writeBuffer(&bytes)
        return true
    }

    /// What was received and not taken apart yet.
    var unread: ByteBuffer { received }

    /// The next answer, interim ones included.
    mutating func answer(isHead: Bool = false) async throws -> RawAnswer {
        while true {
            var missing = 0
            if let answer = RawAnswer.read(from: &received, isHead: isHead, atEnd: false, missing: &missing) {
                return answer
            }
            let goal = received.readableBytes + max(missing, 1)
            while received.readableBytes < goal {
                if try await receiveMore() { continue }
                guard let answer = RawAnswer.read(from: &received, isHead: isHead, atEnd: true, missing: &missing)
                else {
                    throw UnexpectedEnd()
                }
                return answer
            }
        }
    }

    /// All answers up to the end of the connection, which must be an orderly one.
    mutating func remainingAnswers() async throws -> [RawAnswer] {
        while try await receiveMore() {}
        var answers: [RawAnswer] = []
        while received.readableBytes > 0 {
            var missing = 0
            guard let answer = RawAnswer.read(from: &received, isHead: false, atEnd: true, missing: &missing) else {
                throw UnexpectedEnd()
            }
            answers.append(answer)
        }
        return answers
    }

    /// Waits for the end of the connection.
    ///
    /// - Returns: How many further bytes came before it.
    mutating func waitForEnd() async throws -> Int {
        var count = 0
        while let bytes = try await inbound.next(isolation: #isolation) { count += bytes.readableBytes }
        return count
    }
}

/// An answer as it was on the wire.
struct RawAnswer {
    var status = 0
    var version = ""
    var fields: [(name: String, value: String)] = []
    var body = ByteBuffer()
    /// The body came to the end that its framing announced.
    var isComplete = true

    var text: String { String(buffer: body) }

    subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Takes one answer from the front of `buffer`; `nil` when it is not complete yet, and at least how much is
    /// missing.
    static func read(
        from buffer: inout ByteBuffer, isHead: Bool, atEnd: Bool, missing: inout Int
    ) -> RawAnswer? {
        var rest = buffer
        guard let head = rest.readLines() else { return nil }
        var answer = RawAnswer()
        let statusLine = head[0].split(separator: " ", maxSplits: 2)
        guard statusLine.count >= 2, let status = Int(statusLine[1]) else { return nil }
        answer.version = String(statusLine[0])
        answer.status = status
        answer.fields = head.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), line[line.index(after: colon)...].trimmed)
        }
        if isHead || status < 200 || status == 204 || status == 304 {
            // No content, whatever the fields say.
        } else if answer["Transfer-Encoding"] != nil {
            guard answer.readChunks(from: &rest, atEnd: atEnd) else { return nil }
        } else if let length = answer["Content-Length"].flatMap(Int.init) {
            missing = length - rest.readableBytes
            guard missing <= 0 || atEnd else { return nil }
            answer.isComplete = missing <= 0
            answer.body = rest.readSlice(length: min(length, rest.readableBytes)) ?? ByteBuffer()
        } else {
            guard atEnd else { return nil }
            answer.body = rest
            rest.moveReaderIndex(to: rest.writerIndex)
        }
        buffer = rest
        return answer
    }

    private mutating func readChunks(from buffer: inout ByteBuffer, atEnd: Bool) -> Bool {
        var chunks: [ByteBuffer] = []
        isComplete = false
        while let line = buffer.readLine(), let size = Int(line, radix: 16) {
            if size == 0 {
                while !isComplete, let trailer = buffer.readLine() { isComplete = trailer.isEmpty }
                break
            }
            guard let chunk = buffer.readSlice(length: size), buffer.readLine() == "" else { break }
            chunks.append(chunk)
        }
        guard isComplete || atEnd else { return false }
        for chunk in chunks { body.writeImmutableBuffer(chunk) }
        return true
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension ByteBuffer {
    fileprivate mutating func readLine() -> String? {
        guard let end = readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        guard var line = readString(length: end - readerIndex + 1) else { return nil }
        while line.unicodeScalars.last == "\n" || line.unicodeScalars.last == "\r" { line.unicodeScalars.removeLast() }
        return line
    }

    fileprivate mutating func readLines() -> [String]? {
        var lines: [String] = []
        while let line = readLine() {
            if line.isEmpty { return lines.isEmpty ? nil : lines }
            lines.append(line)
        }
        return nil
    }
}
