import NIOCore
import NIOPosix
import Synchronization

/// Lines on their way into one file, which a thread of its own writes: nobody who logs waits for a disk.
///
/// # Behavior
///
/// - Lines are written in the order in which they came, as many at a time as have come meanwhile.
/// - At most ``capacity`` bytes wait; a line that comes beyond is lost and counted.
/// - Who opens the file again, or waits for what came before, has a turn after one such write, however many lines come.
final class LogQueue: Sendable {
    /// In bytes.
    static let capacity = 4 << 20

    private struct State {
        var bytes: [UInt8] = []
        /// Whether the thread is going to look for lines.
        var isServed = false
    }

    private let target: LogTarget
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())
    private let refused = Atomic<UInt64>(0)

    private static let patience = TimeAmount.seconds(2)

    init(_ target: LogTarget) {
        self.target = target
        thread.start()
    }

    deinit {
        thread.shutdownGracefully { _ in }
    }

    /// Lines that came while too many waited.
    var lostToFullQueue: UInt64 { refused.load(ordering: .relaxed) }
    /// Lines that could not be written.
    var lostToFailure: UInt64 { target.lostLines }

    func append(_ line: [UInt8]) {
        let starts = state.withLock { state in
            guard state.bytes.count + line.count <= Self.capacity else {
                refused.wrappingAdd(1, ordering: .relaxed)
                return false
            }
            state.bytes += line
            defer { state.isServed = true }
            return !state.isServed
        }
        if starts { thread.submit { _ in self.drain() } }
    }

    /// Opens the file again, behind what was written before.
    func reopen() {
        thread.submit { _ in
            self.writeWaiting()
            self.target.reopen()
        }
    }

    /// Waits until what came before is written, but not for ever: nobody may read what we write to.
    func flush() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        thread.submit { _ in
            self.writeWaiting()
            continuation.finish()
        }
        let timeout = NIOSingletons.posixEventLoopGroup.any().scheduleTask(in: Self.patience) { continuation.finish() }
        for await _ in stream {}
        timeout.cancel()
    }

    /// Writes what waits, and has what came meanwhile written behind whoever else wants the thread.
    private func drain() {
        writeWaiting()
        let goesOn = state.withLock { state in
            state.isServed = !state.bytes.isEmpty
            return state.isServed
        }
        if goesOn { thread.submit { _ in self.drain() } }
    }

    private func writeWaiting() {
        var lines: [UInt8] = []
        state.withLock { swap(&$0.bytes, &lines) }
        if !lines.isEmpty { target.write(lines) }
    }
}
