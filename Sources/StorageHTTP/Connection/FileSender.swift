public import NIOCore

/// Why a file could not be sent.
public enum FileSenderError: Error, Sendable, Equatable {
    /// The range is negative or ends beyond what an offset can name.
    case invalidRange
    /// The file ends before the range does.
    case fileTooShort
}

/// Sends parts of open files as the content of an answer, by `sendfile(2)`: the bytes never enter this process.
///
/// ```swift
/// guard let sender = FileSender(context.channel) else { /* stream the bytes instead */ }
/// return Response(status: .ok, headers: headers, body: ResponseBody(contentLength: length) { writer in
///     defer { close(descriptor) }
///     try await sender.send(fileDescriptor: descriptor, offset: 0, length: Int64(length))
///     try await writer.finish(nil)
/// })
/// ```
public struct FileSender: Sendable {
    private let connection: NIOLoopBound<HTTP1Connection>
    private let eventLoop: any EventLoop

    /// Looks whether files can be sent on a channel. Costs a type check; decide before the head of the answer is
    /// written.
    ///
    /// - Parameter channel: The channel that the request context got.
    /// - Returns: `nil` on a channel that is not ``StorageHTTP1Channel``'s, and under TLS.
    public init?(_ channel: any Channel) {
        guard let channel = channel as? ConnectionChannel, channel.sendsFiles else { return nil }
        self.connection = channel.connection
        self.eventLoop = channel.eventLoop
    }

    /// Sends a part of a file as the next content of the answer, whose head must have been written.
    ///
    /// May be called several times for one answer, and between other writes. To a HEAD request nothing is sent.
    /// Together, the content must not exceed the declared length of the answer.
    ///
    /// - Important: The descriptor stays the caller's. It must stay open until this method returns or throws, and is
    ///   not used after that.
    /// - Parameters:
    ///   - fileDescriptor: A file that is open for reading. Its offset is neither used nor changed.
    ///   - offset: The position of the first byte.
    ///   - length: The number of bytes; 0 sends nothing.
    /// - Throws: ``FileSenderError``, or an error of the channel when the client has left. After a throw the answer
    ///   cannot be completed.
    public func send(fileDescriptor: CInt, offset: Int64, length: Int64) async throws {
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard offset >= 0, length >= 0, !overflow, end < 1 << 55 else { throw FileSenderError.invalidRange }
        guard length > 0 else { return }
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { [connection] in
            connection.value.sendFile(descriptor: fileDescriptor, range: offset..<end, promise: promise)
        }
        // Not cancellable on purpose: the descriptor is in use until the promise is done. Cancelling the connection's
        // task closes the channel, and that completes the promise.
        try await promise.futureResult.get()
    }
}
