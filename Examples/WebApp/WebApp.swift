import ArgumentParser
import Hummingbird

/// `web-app`: a server of one's own that has the whole file API beside its own routes.
@main
struct WebApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "web-app")

    @Option(help: "Where files and database lie; made when it is missing.")
    var data = "./web-app-data"

    @Option(help: "The port on 127.0.0.1 to listen on; 0 takes a free one.")
    var port = 8080

    func run() async throws {
        try await buildApplication(data: data, port: port).runService()
    }
}
