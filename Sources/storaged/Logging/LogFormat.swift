/// How a log record becomes a line.
enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}
