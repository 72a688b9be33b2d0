import Glibc
import NIOCore

/// What the connection knows of the bytes that pass below the codec.
struct WireCounters {
    /// When the first byte of the present request head arrived.
    var headBegan: NIODeadline?
    /// What arrived since then.
    var headBytes = 0
    /// No line of the present head is complete yet, so what is long about it is its target.
    var isFirstLineOpen = true
    /// What arrived of a body's framing without any content.
    var silentBytes = 0
    /// What was dropped behind the last answer.
    var drainedBytes = 0
    /// What was handed to the socket.
    var submittedBytes: Int64 = 0
    /// The last progress of a client that answers wait for.
    var progress: (acknowledgedBytes: Int64, at: NIODeadline)?

    /// Counts bytes that belong to a request head.
    mutating func headReceived(_ bytes: ByteBuffer) {
        headBytes += bytes.readableBytes
        bytes.withUnsafeReadableBytes { octets in
            // An empty line before a request is ignored (RFC 9112 section 2.2) and begins none.
            if headBegan == nil, octets.contains(where: { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }) {
                headBegan = .now()
            }
            if isFirstLineOpen, let start = octets.baseAddress,
                memchr(start, CInt(UInt8(ascii: "\n")), octets.count) != nil
            {
                isFirstLineOpen = false
            }
        }
    }

    mutating func headEnded() {
        headBegan = nil
        headBytes = 0
        isFirstLineOpen = true
        silentBytes = 0
    }
}

/// Bounds on time and amount.
extension HTTP1Connection: NIOScheduledCallbackHandler {
    /// A chunk header may carry extensions, of which this is more than anybody needs.
    private static let maximumSilentBytes = 64 * 1_024
    /// How much is decoded at once where a request begins, and of a body whose end is not known.
    private static let headSliceBytes = 4 * 1_024
    private static let chunkSliceBytes = 64 * 1_024

    /// As many answers are given at once of what one read brought.
    private static let maximumRecalls = 32

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        if wantsToRead {
            isReadHeld = false
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func resumeReading() {
        guard isReadHeld, wantsToRead else { return }
        isReadHeld = false
        context?.read()
    }

    private var wantsToRead: Bool {
        switch phase {
        case .serving:
            guard let exchange else { return !isInputDead }
            guard !exchange.isReceived, !isInputDead else { return false }
            return exchange.discardDeadline != nil || exchange.body?.wantsMore() ?? true
        case .finishing, .lingering:
            return wire.drainedBytes < limits.drainBytes
        case .closed:
            return false
        }
    }

    /// Whether bytes from the socket are of any use.
    var isDecoding: Bool {
        if case .serving = phase { !isInputDead } else { false }
    }

    /// Whether bytes from the socket are of any use; what is not is counted as drained.
    func admits(_ bytes: ByteBuffer) -> Bool {
        recallsLeft = Self.maximumRecalls
        guard !isDecoding else { return true }
        wire.drainedBytes += bytes.readableBytes
        return false
    }

    /// How many bytes may be decoded next; `nil` while a complete request is being answered.
    var decodableBytes: Int? {
        guard let exchange else { return Self.headSliceBytes }
        guard !exchange.isReceived else { return nil }
        guard let unreceived = exchange.unreceived else { return Self.chunkSliceBytes }
        return Int(clamping: max(unreceived, 1))
    }

    /// Looks at bytes before they are decoded.
    func willDecode(_ bytes: ByteBuffer) {
        wire.silentBytes += bytes.readableBytes
        if exchange == nil { wire.headReceived(bytes) }
    }

    /// Looks back at bytes that were decoded.
    func didDecode() {
        guard isDecoding else { return }
        if let exchange {
            guard !exchange.isReceived else { return }
            if wire.silentBytes > Self.maximumSilentBytes {
                inputFailed(.malformedRequest, isEarlyEnd: false)
            }
        } else if wire.headBytes > limits.maximumHeaderBytes + limits.maximumTargetBytes + Self.maximumSilentBytes {
            // Only empty lines or the blanks that the decoder does not count.
            inputFailed(.headersTooLarge, isEarlyEnd: false)
        }
    }

    // MARK: The clock

    func scheduleNextCheck() {
        nextCheck = .now() + limits.checkInterval
        scheduleCheck(at: nextCheck)
    }

    /// Callbacks are not cancelled, because that costs a search through all of the event loop's; they come to nothing
    /// when late.
    func scheduleCheck(at deadline: NIODeadline) {
        _ = try? context?.eventLoop.assumeIsolated().scheduleCallback(at: deadline, handler: self)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        guard context != nil else { return }
        let now = NIODeadline.now()
        checkTimes(now: now)
        if case .closed = phase { return }
        if now >= nextCheck { scheduleNextCheck() }
    }

    private func checkTimes(now: NIODeadline) {
        switch phase {
        case .serving:
            if let exchange {
                check(exchange, now: now)
            } else if let began = wire.headBegan {
                if now >= began + limits.headerTimeout { reject(.requestTimeout, isHead: false) }
            } else if isClientTakingAnswers(now: now) {
                idleSince = now
            } else if now >= idleSince + (requestCount == 0 ? limits.headerTimeout : limits.idleTimeout) {
                close()
            }
        case .finishing:
            _ = isClientTakingAnswers(now: now)
        case .lingering(let deadline):
            if now >= deadline { close() }
        case .closed:
            break
        }
    }

    private func check(_ exchange: Exchange, now: NIODeadline) {
        if let deadline = exchange.discardDeadline, now >= deadline {
            finish()
        } else if let deadline = exchange.body?.deadline, now >= deadline {
            self.exchange?.closes = true
            isInputDead = true
            exchange.body?.fail(.tooSlow)
        } else {
            _ = isClientTakingAnswers(now: now)
        }
    }

    /// Whether bytes wait to be sent, after closing the connection if the client has taken none of them for too long.
    ///
    /// Bytes count as taken when the peer's kernel has acknowledged them: the send buffer of the socket may hold
    /// megabytes, and is reported as writable again only when a good part of them has gone.
    private func isClientTakingAnswers(now: NIODeadline) -> Bool {
        guard let context,
            let pending = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes), pending > 0
        else {
            wire.progress = nil
            return false
        }
        let acknowledged = wire.submittedBytes - Int64(pending) - unacknowledgedBytes(context: context)
        if let progress = wire.progress, acknowledged <= progress.acknowledgedBytes {
            if now >= progress.at + limits.writeStall { reset() }
        } else {
            wire.progress = (acknowledged, now)
        }
        return true
    }

    /// What the kernel holds of the bytes that were written to the socket.
    private func unacknowledgedBytes(context: ChannelHandlerContext) -> Int64 {
        var count: CInt = 0
        let result = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            ioctl($0, UInt(TIOCOUTQ), &count)
        }
        return result == 0 ? Int64(count) : 0
    }
}
