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

    func run(_ configuration: StoragedConfiguration) async throws {
        let url = Self.url(for: configuration.http)
        // The daemon's certificate is for its public name, which is not the address that it is asked by here; nothing is told to it.
        var settings = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        settings.tlsConfiguration = tls
        do {
            let answer = try await HTTPClient.withHTTPClient(configuration: settings) { client in
                try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
            }
            guard answer.status == .ok else {
                throw NotReady(description: "\(url) answers \(answer.status.code)")
            }
            print("ready")
        } catch let error as NotReady {
            throw error
        } catch {
            throw NotReady(description: "\(url) does not answer (\(error))")
        }
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
