import Foundation

/// The built program as people start it, run to its end.
struct Program {
    let status: Int32
    let output: String
    let errors: String

    /// - Parameter input: What the program reads from its standard input.
    init(
        _ arguments: [String], environment: [String: String] = [:], in directory: String, input: String? = nil
    ) throws {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let process = Process()
        process.executableURL = folder.appendingPathComponent("storaged")
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        let (output, errors, given) = (Pipe(), Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = given
        try process.run()
        try given.fileHandleForWriting.write(contentsOf: Data((input ?? "").utf8))
        try given.fileHandleForWriting.close()
        let texts = [output, errors].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        status = process.terminationStatus
        self.output = texts[0]
        self.errors = texts[1]
    }
}
