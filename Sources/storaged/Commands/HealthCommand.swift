import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

/// `storaged health`: asks the daemon of the same configuration whether it is ready, for container health checks.
struct HealthCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask the running daemon whether it is ready: exit 0 when it is, else 1.",
        discussion: SettingsHelp.text)

    @Flag(help: "print one JSON object")
    var json = false

    /// Whether a daemon can serve.
    struct Outcome: Encodable {
        let isReady: Bool
        let url: String
        /// Why not.
        @ExplicitNull var reason: String?
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        let url = Self.url(for: configuration.http)
        do throws(NotReady) {
            try await Self.ask(url)
        } catch {
            if json { try show(Outcome(isReady: false, url: url, reason: error.description)) }
            throw error
        }
        try show(Outcome(isReady: true, url: url, reason: nil))
    }

    private func show(_ outcome: Outcome) throws {
        try StandardOutput.write(line: json ? JSONLine.text(of: outcome) : "ready")
    }

    /// Throws unless the daemon behind the URL says that it can serve.
    static func ask(_ url: String) async throws(NotReady) {
        // The daemon's certificate is for its public name, which is not the address that it is asked by here; nothing is told to it.
        var settings = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        settings.tlsConfiguration = tls
        let status: HTTPResponseStatus
        do {
            status = try await HTTPClient.withHTTPClient(configuration: settings) { client in
                try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
            }.status
        } catch {
            throw NotReady(description: "\(url) does not answer (\(error))")
        }
        guard status == .ok else { throw NotReady(description: "\(url) answers \(status.code)") }
    }

    /// The address to ask: a daemon that listens on all addresses is asked on the loopback one.
    static func url(for http: StoragedConfiguration.HTTP) -> String {
        let host =
            switch http.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host where host.utf8.contains(UInt8(ascii: ":")): "[\(host)]"
            case let host: host
            }
        return "\(http.tls == nil ? "http" : "https")://\(host):\(http.port)/readyz"
    }
}

/// A daemon that cannot serve.
struct NotReady: ExitingError {
    let description: String
    var exitStatus: ExitStatus { .failure }
}
