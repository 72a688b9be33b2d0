import Foundation

/// Runs commands as readers of the examples do: in bash, in a directory of their own, with the built programs in `PATH`.
struct Shell {
    let directory: String
    private let programs = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path

    init(in directory: String) {
        self.directory = directory
    }

    /// What commands printed, errors included, and the exit status of the last one.
    func run(_ commands: String) async throws -> (output: String, status: Int32) {
        let (process, output) = try start("exec 2>&1; set -u; \(commands)")
        return await blocking {
            let text = String(decoding: output.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (text, process.terminationStatus)
        }
    }

    /// Starts a server, and returns with the first line of its log that has the marker, or with all of it when the server ends.
    func start(_ command: String, until marker: String) async throws -> (server: Process, line: String) {
        let (process, output) = try start("exec \(command) 2>&1")
        let line = await blocking {
            var log = Data()
            while case let more = output.availableData, !more.isEmpty {
                log += more
                let lines = String(decoding: log, as: UTF8.self).split(
                    separator: "\n", omittingEmptySubsequences: false)
                // The last one may be incomplete.
                if let line = lines.dropLast().first(where: { $0.contains(marker) }) { return String(line) }
            }
            return String(decoding: log, as: UTF8.self)
        }
        return (process, line)
    }

    /// Ends a server as people do, and waits for it; its exit status.
    func stop(_ server: Process) async -> Int32 {
        server.terminate()
        return await blocking {
            server.waitUntilExit()
            return server.terminationStatus
        }
    }

    /// Waits on a thread that nobody else needs.
    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: body()) }.start()
        }
    }

    private func start(_ commands: String) throws -> (Process, output: FileHandle) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", commands]
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.environment = ["PATH": "\(programs):/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return (process, output.fileHandleForReading)
    }
}
