import ArgumentParser
import Glibc

/// What the process tells its parent at the end (sysexits.h).
enum ExitStatus: Int32, Sendable {
    case success = 0
    /// `health`: not ready. Other commands: not everything that was asked for was done.
    case failure = 1
    case usage = 64
    /// A folder or file that a command is to read.
    case noInput = 66
    /// An account that a command is to work with.
    case noUser = 67
    /// A service that stayed unreachable.
    case unavailable = 69
    case software = 70
    /// Output that cannot be written.
    case outputError = 74
    case configuration = 78
    /// Ended by a signal, as shells count: 128 and its number.
    case interrupted = 130
    case terminated = 143
}

/// An end of a command that people are told about.
protocol ExitingError: Error, CustomStringConvertible {
    var exitStatus: ExitStatus { get }
}

/// A command that cannot do what it was asked for.
struct CommandFailure: ExitingError {
    let description: String
    var exitStatus = ExitStatus.failure
}

extension ConfigurationError: ExitingError {
    var exitStatus: ExitStatus { .configuration }
}

/// A database or store that could not be reached while the daemon waited for it.
struct ServiceUnavailable: ExitingError {
    let description: String
    var exitStatus: ExitStatus { .unavailable }
}

extension ExitStatus {
    /// Tells people on stderr what happened, and ends the process with the status that `error` stands for.
    static func exit(for error: any Error) -> Never {
        if let error = error as? any ExitingError {
            Array("storaged: \(error.description)\n".utf8).writeAll(to: STDERR_FILENO)
            Glibc.exit(error.exitStatus.rawValue)
        }
        if let status = error as? ExitCode {
            Glibc.exit(status.rawValue)
        }
        Array("storaged: \(String(describing: error).escapedForDisplay)\n".utf8).writeAll(to: STDERR_FILENO)
        Glibc.exit(ExitStatus.software.rawValue)
    }
}
