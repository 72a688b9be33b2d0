/// A configuration that cannot be right: everything that is wrong with it, found before anything was touched.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    let problems: [ConfigurationProblem]

    var description: String {
        let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
        let lines = problems.map { "  " + $0.description }
        return (["the configuration cannot be right (\(count)); nothing was touched:"] + lines).joined(separator: "\n")
    }
}

/// One thing that is wrong: where, what, and what would be right. Never contains a secret.
struct ConfigurationProblem: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A key that nobody knows.
    static func unknown(_ name: String, at origin: String? = nil, among known: [String]) -> ConfigurationProblem {
        let place = origin.map { " (\($0))" } ?? ""
        let hint = NearestName.of(name, among: known).map { "; did you mean \($0)?" } ?? ""
        return ConfigurationProblem("\(name.quotedForDisplay)\(place) is not a known setting\(hint)")
    }

    /// A secret where everybody on the machine can read it.
    static func secretArgument(_ key: any ConfigurationKeyDescription) -> ConfigurationProblem {
        ConfigurationProblem(
            "\(key.flag): everybody on the machine can read the arguments of a process; give what is secret as"
                + " \(key.environmentName) in the environment or in .env, or as \(key.name) in the YAML file")
    }

    /// A value that its key cannot take.
    static func refused(
        _ key: any ConfigurationKeyDescription, _ text: String, from origin: ConfigurationOrigin,
        _ refusal: ValueRefusal
    ) -> ConfigurationProblem {
        ConfigurationProblem(
            "\(key.name): \(key.shown(text).quotedForDisplay) (\(origin)) is not acceptable; \(refusal.cure)")
    }
}
