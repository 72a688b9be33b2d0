import ArgumentParser
import Glibc
import Logging

/// `storaged serve`: the daemon.
struct ServeCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve files until SIGTERM (what storaged does without a command).",
        discussion: SettingsHelp.text)

    func run(_ configuration: StoragedConfiguration) async throws {
        // A client that left in mid-sendfile, or a log reader that ended, is an error of that call and not our end.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrapStoraged(configuration.log)
        let logger = Logger(label: "storaged")
        for notice in configuration.notices {
            logger.notice("\(notice)")
        }
        try await Wiring.serve(configuration)
    }
}
