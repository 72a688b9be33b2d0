import Logging
import StorageSQL
import Synchronization

/// How far a copy of metadata is: its steps in the log, its rows on the last line of a terminal.
final class CopyDisplay: Sendable {
    private struct State {
        var uploads = 0
        var copied: ProgressBar?
        var compared: ProgressBar?
    }

    private let state = Mutex(State())
    private let logger = Logger(label: "storaged")

    func show(_ progress: MetadataCopy.Progress) {
        state.withLock { state in
            switch progress {
            case .waiting(let uploads):
                guard state.uploads != uploads else { return }
                state.uploads = uploads
                logger.notice(
                    "new uploads are refused; waiting for those under way", metadata: ["uploads": "\(uploads)"])
            case .frozen(let rows):
                logger.notice("writes are refused from now on", metadata: ["rows": "\(rows)"])
                state.copied = Self.bar("rows copied", of: rows)
                state.compared = Self.bar("rows compared", of: rows)
            case .copied(let rows): state.copied?.advance(items: rows)
            case .compared(let rows): state.compared?.advance(items: rows)
            }
        }
    }

    /// Takes the bar away.
    func finish() {
        state.withLock { state in
            state.copied?.finish()
            state.compared?.finish()
        }
    }

    private static func bar(_ noun: String, of rows: Int) -> ProgressBar {
        ProgressBar(total: .init(items: rows, noun: noun), descriptor: ProgressBar.isWanted ? 2 : nil)
    }
}
