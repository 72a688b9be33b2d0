import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import StorageCore

/// Sending files without their bytes passing through this process.
extension HTTP1Connection {
    /// Sends a part of a file as content of the present answer.
    ///
    /// - Parameters:
    ///   - descriptor: An open file, which stays the caller's and must stay open until `promise` is done.
    ///   - range: Which bytes of it.
    ///   - promise: Succeeded when the last byte is in the socket; always completed.
    func sendFile(descriptor: CInt, range: Range<Int64>, promise: EventLoopPromise<Void>) {
        guard case .serving = phase, context != nil, let exchange, exchange.answer == .begun else {
            promise.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard exchange.sendsContent else {
            promise.succeed()
            return
        }
        let transfer = FileTransfer(connection: self, descriptor: descriptor, range: range, promise: promise)
        transfer.sendPiece()
    }
}

/// A file on its way into a socket.
///
/// It goes in pieces with a look at the event loop's other connections between them: to a client that reads as fast as
/// this machine writes, one piece would be the whole file. A piece that is not in memory is waited for by another thread.
final class FileTransfer: NIOScheduledCallbackHandler {
    private static let pieceBytes: Int64 = 4 * 1_024 * 1_024

    private let connection: HTTP1Connection
    private let descriptor: CInt
    private let handle: NIOFileHandle
    private var range: Range<Int64>
    private var promise: EventLoopPromise<Void>?
    /// A piece was not in memory: those that follow are likely to be on the disk too.
    private var comesFromDisk = false

    init(connection: HTTP1Connection, descriptor: CInt, range: Range<Int64>, promise: EventLoopPromise<Void>) {
        self.connection = connection
        self.descriptor = descriptor
        self.handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        self.range = range
        self.promise = promise
    }

    deinit {
        // The descriptor belongs to the caller; the handle must not outlive its claim on it.
        _ = try? handle.takeDescriptorOwnership()
    }

    func sendPiece() {
        guard let context = connection.context else {
            finish(.failure(ChannelError.ioOnClosedChannel))
            return
        }
        let piece = range.clamped(to: range.lowerBound..<range.lowerBound + Self.pieceBytes)
        guard isLongEnough(for: piece.upperBound) else {
            // Past the end of a file the kernel sends nothing and reports no error, again and again.
            finish(.failure(FileSenderError.fileTooShort))
            connection.abort()
            return
        }
        guard PageCache.holds(piece, of: descriptor) else {
            fetch(piece, on: context.eventLoop)
            return
        }
        send(piece, on: context)
    }

    /// Sends a piece when the disk has brought it: `sendfile` would wait for the disk on the event loop.
    private func fetch(_ piece: Range<Int64>, on eventLoop: any EventLoop) {
        comesFromDisk = true
        let descriptor = descriptor
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { PageCache.fetch(piece, of: descriptor) }
            .assumeIsolated().whenComplete { _ in
                guard let context = self.connection.context else {
                    self.finish(.failure(ChannelError.ioOnClosedChannel))
                    return
                }
                self.send(piece, on: context)
            }
    }

    private func send(_ piece: Range<Int64>, on context: ChannelHandlerContext) {
        if comesFromDisk { adviseReading(range.clamped(to: piece.upperBound..<piece.upperBound + Self.pieceBytes)) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            self.pieceEnded(result, at: piece.upperBound)
        }
        let region = FileRegion(
            fileHandle: handle, readerIndex: Int(piece.lowerBound), endIndex: Int(piece.upperBound))
        connection.writeContent(.fileRegion(region), context: context, promise: written)
        context.flush()
    }

    private func pieceEnded(_ result: Result<Void, any Error>, at end: Int64) {
        range = end..<range.upperBound
        guard case .success = result, !range.isEmpty, let context = connection.context else {
            finish(range.isEmpty ? result : result.flatMap { .failure(ChannelError.ioOnClosedChannel) })
            return
        }
        do {
            // Work that is due at once would run before the loop looks at its sockets.
            _ = try context.eventLoop.assumeIsolated().scheduleCallback(in: .nanoseconds(1), handler: self)
        } catch {
            finish(.failure(error))
        }
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        sendPiece()
    }

    func didCancelScheduledCallback(eventLoop: some EventLoop) {
        finish(.failure(ChannelError.ioOnClosedChannel))
    }

    private func finish(_ result: Result<Void, any Error>) {
        _ = try? handle.takeDescriptorOwnership()
        promise?.completeWith(result)
        promise = nil
    }

    private func isLongEnough(for end: Int64) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && Int64(status.st_size) >= end
    }

    /// Lets the disk fetch what comes next while the network is busy with the present piece.
    private func adviseReading(_ range: Range<Int64>) {
        guard !range.isEmpty else { return }
        _ = posix_fadvise(
            descriptor, off_t(range.lowerBound), off_t(range.upperBound - range.lowerBound), POSIX_FADV_WILLNEED)
    }
}
