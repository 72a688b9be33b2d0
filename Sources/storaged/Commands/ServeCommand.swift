import ArgumentParser
import Logging

/// `storaged serve`: the daemon.
struct ServeCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve files until SIGTERM (what storaged does without a command).",
        discussion: SettingsHelp.text)

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let logger = Logger(label: "storaged")
        for notice in configuration.notices {
            logger.notice("\(notice)")
        }
        try await Wiring.serve(configuration)
    }
}
