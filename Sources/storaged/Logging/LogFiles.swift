import Glibc
import Logging
import StorageHTTP

/// Where the log of a daemon goes: to a file or to stderr, and errors to another file as well.
final class LogFiles: Sendable {
    private let all: LogQueue
    private let errors: LogQueue?

    /// Opens the files that the configuration names; folders that are missing are made, with mode 0750, and files with mode 0640.
    ///
    /// - Throws: ``ConfigurationError`` for a file that cannot be written.
    init(_ configuration: StoragedConfiguration) throws(ConfigurationError) {
        var targets: [LogTarget] = []
        func open(_ path: String, _ name: String) throws(ConfigurationError) -> LogQueue {
            do throws(SystemFailure) {
                let target = try LogTarget(path: path)
                guard targets.allSatisfy({ !$0.isSameFile(as: target) }) else {
                    throw SystemFailure("it is log.file too")
                }
                targets.append(target)
                return LogQueue(target)
            } catch {
                let origin = configuration.provenance.value(named: name).map { " (\($0.origin))" } ?? ""
                throw ConfigurationError(problems: [
                    ConfigurationProblem(
                        "\(name): \(path.quotedForDisplay)\(origin) cannot be written (\(error.reason)); give the path of"
                            + " another file, in a folder that this user may write")
                ])
            }
        }
        all =
            try configuration.log.file.map { path throws(ConfigurationError) in try open(path, Keys.logFile.name) }
            ?? LogQueue(LogTarget(descriptor: STDERR_FILENO))
        errors = try configuration.log.errorFile.map { path throws(ConfigurationError) in
            try open(path, Keys.logErrorFile.name)
        }
    }

    /// Has a line written soon; never waits.
    func write(_ line: [UInt8], _ level: Logger.Level) {
        all.append(line)
        if level >= .error { errors?.append(line) }
    }

    /// Opens the files again by their names, for whoever has renamed them. What cannot be opened stays as it was, and stderr is told.
    func reopen() {
        all.reopen()
        errors?.reopen()
    }

    /// Waits until everything is written, or for two seconds.
    func flush() async {
        await all.flush()
        await errors?.flush()
    }

    /// Adds how many lines were lost.
    func sample(_ samples: inout MetricSamples) {
        let queues = [all, errors].compactMap { $0 }
        let full = queues.reduce(0) { $0 &+ $1.lostToFullQueue }
        let failed = queues.reduce(0) { $0 &+ $1.lostToFailure }
        samples.count("storaged_log_lines_lost_total", full, [("reason", "queue_full")])
        samples.count("storaged_log_lines_lost_total", failed, [("reason", "write_failed")])
    }
}
