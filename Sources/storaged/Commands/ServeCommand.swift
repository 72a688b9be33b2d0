import ArgumentParser
import Glibc
import Logging
import Metrics
import StorageHTTP
import UnixSignals

/// `storaged serve`: the daemon.
struct ServeCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve files until SIGTERM (what storaged does without a command).",
        discussion: SettingsHelp.text)

    func run(_ configuration: StoragedConfiguration) async throws {
        // A client that left in mid-sendfile, or a log reader that ended, is an error of that call and not our end.
        signal(SIGPIPE, SIG_IGN)
        // That asks for the log files anew: it is waited for before there are any, and ends nobody earlier.
        signal(SIGHUP, SIG_IGN)
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let logs = try LogFiles(configuration)
        LoggingSystem.bootstrapStoraged(configuration.log, to: logs)
        let metrics = MetricsRegistry()
        MetricsSystem.bootstrap(metrics)
        let logger = Logger(label: "storaged")
        for notice in configuration.notices {
            logger.notice("\(notice)")
        }
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                // During the start as well: a database is waited for and migrated, with lines about it.
                tasks.addTask {
                    for await _ in hangups { logs.reopen() }
                }
                defer { tasks.cancelAll() }
                try await Wiring.serve(configuration, logs: logs, metrics: metrics)
            }
        } catch {
            await logs.flush()
            throw error
        }
        await logs.flush()
    }
}
