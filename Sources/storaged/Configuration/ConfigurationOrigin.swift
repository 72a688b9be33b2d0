/// Where the value of a setting came from.
struct ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    /// The kinds of sources, strongest first.
    enum Source: Sendable, Equatable, CaseIterable {
        case commandLine, environment, dotEnv, yaml, builtIn
    }

    let source: Source
    /// For people: the flag, the variable, the file and its line.
    let description: String

    /// Whether it may be meant for another program as well.
    var isVariable: Bool { source == .environment || source == .dotEnv }

    static let builtIn = ConfigurationOrigin(source: .builtIn, description: "default")

    static func flag(_ flag: String) -> Self {
        Self(source: .commandLine, description: flag)
    }

    static func environment(_ name: String) -> Self {
        Self(source: .environment, description: "\(name) in the environment")
    }

    static func dotEnv(_ name: String, file: String, line: Int) -> Self {
        Self(source: .dotEnv, description: "\(name) in \(file), line \(line)")
    }

    static func yaml(file: String, line: Int) -> Self {
        Self(source: .yaml, description: "\(file), line \(line)")
    }
}
