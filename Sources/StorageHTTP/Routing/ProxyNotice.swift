import Logging
import Synchronization

/// Says once that a proxy on this very machine is not believed: whose requests it forwards cannot be told apart then, and have one limit
/// together.
final class ProxyNotice: Sendable {
    private let isSaid = Atomic(false)

    func note(_ peer: Peer, _ logger: Logger) {
        guard peer.isUntrustedLoopback, !isSaid.exchange(true, ordering: .relaxed) else { return }
        logger.warning(
            "a proxy on this machine is not trusted: all of its clients are limited as one; see http.trusted-proxies",
            metadata: ["proxy": "\(peer.address.map { "\($0)" } ?? "")"])
    }
}
