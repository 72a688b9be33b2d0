import Glibc
import NIOCore

/// An address that a daemon is to listen on, looked at before anything is touched.
struct ListeningAddress {
    private let host: String
    private let port: Int
    private let hostKey: String
    private let portKey: String
    private let provenance: ConfigurationValues

    init(_ configuration: StoragedConfiguration) {
        host = configuration.http.host
        port = configuration.http.port
        (hostKey, portKey) = (Keys.httpHost.name, Keys.httpPort.name)
        provenance = configuration.provenance
    }

    /// The address of the listener for who watches the daemon; nil where there is to be none.
    init?(admin configuration: StoragedConfiguration) {
        guard let port = configuration.admin.port else { return nil }
        host = configuration.admin.host
        self.port = port
        (hostKey, portKey) = (Keys.adminHost.name, Keys.adminPort.name)
        provenance = configuration.provenance
    }

    /// Refuses an address that is unknown, not this machine's, or not to be had by this user.
    ///
    /// One that is in use may be free by the time that the daemon listens: that is left to the listening.
    func check() throws {
        do {
            let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
            let descriptor = socket(address.protocol.rawValue, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
            defer { close(descriptor) }
            let result = address.withSockAddr { pointer, size in bind(descriptor, pointer, socklen_t(size)) }
            guard result == 0 || errno == EADDRINUSE else { throw IOError(errnoCode: errno, reason: "bind") }
        } catch {
            throw refusal(of: error) ?? error
        }
    }

    /// The failure to listen in words for people, with the setting that is to be changed; nil for one that settings cannot cure.
    func refusal(of error: any Error) -> (any Error)? {
        switch error {
        case is SocketAddressError, is SocketAddressError.UnknownHost:
            return wrong(
                hostKey, "is no address that this machine can find; give an IP address of it or a host name")
        case let error as IOError:
            switch error.errnoCode {
            case EADDRINUSE:
                return ServiceUnavailable(description: "\(host):\(port) is in use; set \(portKey) to another port")
            case EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL:
                return wrong(
                    hostKey,
                    "is no address of this machine; give one of its own, 127.0.0.1 for itself alone, or 0.0.0.0 for all"
                )
            case EACCES, EPERM:
                return wrong(portKey, "may not be listened on by this user; give a port from 1024 on")
            default: return nil
            }
        default: return nil
        }
    }

    private func wrong(_ name: String, _ reason: String) -> ConfigurationError {
        let value = provenance.value(named: name)
        let text = value.map { "\($0.text.quotedForDisplay) (\($0.origin))" } ?? ""
        return ConfigurationError(problems: [ConfigurationProblem("\(name): \(text) \(reason)")])
    }
}
