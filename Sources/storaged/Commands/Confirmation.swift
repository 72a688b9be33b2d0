import ArgumentParser
import Glibc

/// `--yes`: leave to do what there is no way back from, which is asked for otherwise.
struct Confirmation: ParsableArguments {
    @Flag(help: "do not ask")
    var yes = false

    /// Returns when somebody wants it: "delete" this, or else nothing was "deleted".
    ///
    /// - Throws: ``CommandFailure`` when nobody says yes, and without a terminal to ask on.
    func require(to verb: String, past: String, _ what: String) throws(CommandFailure) {
        guard yes || Self.isConfirmed("\(verb.prefix(1).uppercased())\(verb.dropFirst()) \(what)?") else {
            throw CommandFailure(description: "nothing was \(past); say --yes to \(verb) \(what)")
        }
    }

    private static func isConfirmed(_ question: String) -> Bool {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return false }
        Array("\(question) [y/N] ".utf8).writeAll(to: STDERR_FILENO)
        return ["y", "yes"].contains(readLine()?.asciiLowercased)
    }
}
