import Glibc
import Synchronization

/// How far a command is, on the last line of a terminal; everything else that is printed meanwhile goes through it.
final class ProgressBar: Sendable {
    /// What there is to do; unknown parts are zero.
    struct Total: Sendable {
        var items = 0
        var bytes: Int64 = 0
        /// What is counted; nil says `files`, or `checked` where the total is unknown.
        var noun: String?
    }

    private struct State {
        var items = 0
        var bytes: Int64 = 0
        var drawnAt: ContinuousClock.Instant?
    }

    private let total: Total
    /// Where the bar is drawn; nil draws none.
    private let descriptor: Int32?
    private let state = Mutex(State())

    private static let pause = Duration.milliseconds(100)
    private static let clear = "\r\u{1B}[K"

    /// Whether a bar would be seen: stderr is a terminal that can move its cursor.
    static var isWanted: Bool { isatty(STDERR_FILENO) == 1 }

    /// - Parameter descriptor: The terminal; nil when there is none, and nothing is drawn.
    init(total: Total, descriptor: Int32?) {
        self.total = total
        self.descriptor = descriptor
    }

    /// Notes bytes that were done. May be called on any thread.
    func advance(bytes: Int) {
        state.withLock { state in
            state.bytes &+= Int64(bytes)
            draw(&state)
        }
    }

    /// Notes items that are done.
    func advance(items: Int = 1) {
        state.withLock { state in
            state.items += items
            draw(&state)
        }
    }

    /// Notes how many items are done by now.
    func show(_ items: Int) {
        state.withLock { state in
            state.items = items
            draw(&state)
        }
    }

    /// Notes how many items and bytes are done by now.
    func show(_ items: Int, bytes: Int64) {
        state.withLock { state in
            (state.items, state.bytes) = (items, bytes)
            draw(&state)
        }
    }

    /// Does something that prints, without the bar in its way.
    func interrupted(_ body: () throws -> Void) rethrows {
        try state.withLock { state in
            if let descriptor, state.drawnAt != nil { Array(Self.clear.utf8).writeAll(to: descriptor) }
            state.drawnAt = nil
            try body()
        }
    }

    /// Takes the bar away.
    func finish() {
        interrupted {}
    }

    private func draw(_ state: inout State) {
        guard let descriptor else { return }
        let now = ContinuousClock.now
        if let last = state.drawnAt, now - last < Self.pause { return }
        state.drawnAt = now
        let line = Self.line(items: state.items, bytes: state.bytes, of: total)
        Array((Self.clear + line).utf8).writeAll(to: descriptor)
    }

    /// `[##########..........]  50%  3 of 6 files, 1.0 MiB of 2.0 MiB`: at most 79 columns for every number that occurs.
    ///
    /// Where the total is unknown: `3 checked`, or `3 checked, 1.0 MiB read`.
    static func line(items: Int, bytes: Int64, of total: Total) -> String {
        guard total.items > 0 || total.bytes > 0 else {
            return "\(items) \(total.noun ?? "checked")" + (bytes > 0 ? ", \(ByteText.of(bytes)) read" : "")
        }
        let share = total.bytes > 0 ? Double(bytes) / Double(total.bytes) : Double(items) / Double(max(1, total.items))
        let part = min(max(share, 0), 1)
        let filled = Int(part * 20)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        let percent = "\(Int(part * 100))%"
        let padding = String(repeating: " ", count: 4 - percent.count)
        let sizes = total.bytes > 0 ? ", \(ByteText.of(min(bytes, total.bytes))) of \(ByteText.of(total.bytes))" : ""
        return "[\(bar)] \(padding)\(percent)  \(items) of \(total.items) \(total.noun ?? "files")\(sizes)"
    }
}
