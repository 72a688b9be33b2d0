/// Puts the parts together: the only place that knows them all.
enum Wiring {
    /// Serves until the process is told to end.
    static func serve(_ configuration: StoragedConfiguration) async throws {
        throw NotWired(description: "serve is not wired yet")
    }

    /// Does `action` with the schema of the configured database.
    static func migrate(_ action: MigrateCommand.Action, _ configuration: StoragedConfiguration) async throws {
        throw NotWired(description: "migrate is not wired yet")
    }
}

/// A command whose body is not there.
struct NotWired: ExitingError {
    let description: String
    var exitStatus: ExitStatus { .software }
}
