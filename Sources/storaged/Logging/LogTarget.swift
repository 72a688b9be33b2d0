import Glibc
import Synchronization

/// A call of the system that failed, in words.
struct SystemFailure: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    /// What `errno` says.
    init() {
        reason = String(cString: strerror(errno))
    }
}

/// A file that lines are appended to, or stderr.
///
/// Blocks as the system does; a failure loses lines, which are counted, and is told of on stderr once until a line is written again.
final class LogTarget: Sendable {
    private struct State {
        var descriptor: Int32
        var isFailing = false
        /// Whether the last line has no end.
        var isTorn = false
    }

    /// nil for a descriptor that belongs to somebody else.
    private let path: String?
    private let state: Mutex<State>
    private let lost = Atomic<UInt64>(0)

    /// Writes to a descriptor, which is not closed.
    init(descriptor: Int32) {
        path = nil
        state = Mutex(State(descriptor: descriptor))
    }

    /// Opens a file, and makes what is missing.
    init(path: String) throws(SystemFailure) {
        self.path = path
        state = Mutex(State(descriptor: try Self.open(path)))
    }

    deinit {
        if path != nil { close(state.withLock { $0.descriptor }) }
    }

    /// Lines that could not be written.
    var lostLines: UInt64 { lost.load(ordering: .relaxed) }

    /// Whether both are one regular file.
    func isSameFile(as other: LogTarget) -> Bool {
        func identity(_ target: LogTarget) -> (device: UInt64, file: UInt64)? {
            var status = stat()
            guard fstat(target.state.withLock({ $0.descriptor }), &status) == 0, status.st_mode & S_IFMT == S_IFREG
            else {
                return nil
            }
            return (UInt64(status.st_dev), UInt64(status.st_ino))
        }
        guard let one = identity(self), let two = identity(other) else { return false }
        return one == two
    }

    /// Appends whole lines.
    func write(_ lines: [UInt8]) {
        state.withLock { state in
            let end: [UInt8] = state.isTorn ? [UInt8(ascii: "\n")] : []
            let text = end + lines
            let (written, reason) = Self.write(text, to: state.descriptor)
            guard let reason else {
                state.isFailing = false
                state.isTorn = false
                return
            }
            if written > 0 { state.isTorn = text[written - 1] != UInt8(ascii: "\n") }
            // The torn line was counted when it was torn.
            let left = text[max(written, end.count)...].count { $0 == UInt8(ascii: "\n") }
            lost.wrappingAdd(UInt64(left), ordering: .relaxed)
            if !state.isFailing { complain("cannot be written (\(reason)): lines are lost until it can") }
            state.isFailing = true
        }
    }

    /// Opens the file by its name again; where that fails, goes on with the one that is open.
    func reopen() {
        guard let path else { return }
        do throws(SystemFailure) {
            let descriptor = try Self.open(path)
            state.withLock { state in
                close(state.descriptor)
                state = State(descriptor: descriptor)
            }
        } catch {
            complain("cannot be opened again (\(error.reason)): the file that is open is written on")
        }
    }

    private func complain(_ what: String) {
        guard let path else { return }
        Array("storaged: the log file \(path.quotedForDisplay) \(what)\n".utf8).writeAll(to: STDERR_FILENO)
    }

    /// How many bytes were written, and why no more were.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> (written: Int, reason: String?) {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]).baseAddress, buffer.count - written
                )
                if count > 0 {
                    written += count
                } else if errno == EAGAIN {
                    // A terminal that somebody else has made non-blocking.
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    guard poll(&ready, 1, 1_000) > 0 else { return (written, "nobody reads it") }
                } else if errno != EINTR {
                    return (written, SystemFailure().reason)
                }
            }
            return (written, nil)
        }
    }

    private static func open(_ path: String) throws(SystemFailure) -> Int32 {
        makeFolders(of: path)
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640)
        guard descriptor >= 0 else { throw SystemFailure() }
        return descriptor
    }

    /// Makes the folders that are missing; what cannot be made is told by whoever opens the file.
    private static func makeFolders(of path: String) {
        let bytes = Array(path.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "/") && index > 0 {
            mkdir(String(decoding: bytes[..<index], as: UTF8.self), 0o750)
        }
    }
}
