import Glibc

/// A question to whoever started a command.
enum Question {
    /// Whether the answer is yes; no without a terminal to ask on.
    static func isConfirmed(_ question: String) -> Bool {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return false }
        Array("\(question) [y/N] ".utf8).writeAll(to: STDERR_FILENO)
        return ["y", "yes"].contains(readLine()?.asciiLowercased)
    }
}
