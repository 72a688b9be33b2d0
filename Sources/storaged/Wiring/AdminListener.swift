import Hummingbird
import HummingbirdCore
import Logging
import Metrics
import ServiceLifecycle
import StorageHTTP

/// The listener for who watches the daemon.
struct AdminListener: Service {
    private let application: any Service
    private let address: ListeningAddress

    /// Makes it where there is to be one; nothing listens yet.
    init?(_ configuration: StoragedConfiguration, _ metrics: MetricsRegistry?) {
        guard let address = ListeningAddress(admin: configuration), let port = configuration.admin.port, let metrics
        else {
            return nil
        }
        self.address = address
        application = Application(
            responder: AdminRoutes<StorageRequestContext>(metrics: metrics),
            // Its own requests are no traffic that anybody watches.
            server: .storage(metrics: NOOPMetricsHandler.instance),
            configuration: ApplicationConfiguration(address: .hostname(configuration.admin.host, port: port)),
            logger: Logger(label: "storage.admin"))
    }

    /// Listens until the service shuts down.
    func run() async throws {
        do {
            try await application.run()
        } catch {
            throw address.refusal(of: error) ?? error
        }
    }
}
