/// The arguments of the process as they were given: the standard library would repair what is no text, and a login or a path would
/// silently become another one.
enum CommandArguments {
    /// - Throws: ``CommandFailure`` for an argument that is not UTF-8.
    static func read() throws(CommandFailure) -> [String] {
        var arguments: [String] = []
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index] else { break }
            guard let text = String(validatingCString: argument) else {
                throw CommandFailure(description: "argument \(index) is not UTF-8", exitStatus: .usage)
            }
            arguments.append(text)
        }
        return arguments
    }
}
