import Glibc

/// What commands print for people and programs: each line at once, so that what was said is out whatever happens next.
enum StandardOutput {
    /// - Throws: ``CommandFailure`` when the text cannot be written, on a full disk for instance.
    static func write(line: some StringProtocol) throws(CommandFailure) {
        try write(line + "\n")
    }

    static func write(_ text: some StringProtocol) throws(CommandFailure) {
        guard Array(text.utf8).writeAll(to: STDOUT_FILENO) else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure(description: "the output cannot be written (\(reason))", exitStatus: .outputError)
        }
    }
}
