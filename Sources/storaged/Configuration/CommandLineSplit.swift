/// The arguments of the process, split into settings and everything else.
///
/// Settings may stand anywhere before `--`, as `--http-port 9000` or `--http-port=9000`; the last one of a key counts.
/// What is left is a command with its own arguments.
struct CommandLineSplit: Sendable {
    /// The settings.
    private(set) var layer = ConfigurationLayer(source: .commandLine)
    /// The file that `--config` names.
    private(set) var configPath: String?
    /// The arguments that are no settings, in their order.
    private(set) var rest: [String] = []
    private(set) var problems: [ConfigurationProblem] = []

    /// Whether somebody asked for words instead of work.
    var asksForHelp: Bool { rest.contains { CommandFlag.help.contains($0) } }

    static let configFlag = "--config"

    init(_ arguments: some Sequence<String>, table: ConfigurationTable = .storaged) {
        var names: [String: String] = [:]
        for key in table.keys where !key.isSecret { names[key.flag] = key.name }
        let secrets = Dictionary(table.keys.filter(\.isSecret).map { ($0.flag, $0) }) { first, _ in first }
        let built = names.keys.sorted()
        for key in table.unavailable { names[key.flag] = key.name }
        var foreign: [String: CommandFlag] = [:]
        for flag in CommandFlag.all { foreign[flag.name] = flag }

        var arguments = Array(arguments)[...]
        while let argument = arguments.popFirst() {
            if argument == "--" {
                rest.append(argument)
                rest += arguments
                return
            }
            let (flag, inline) = Self.parts(of: argument)
            let isFlag = flag.utf8.first == UInt8(ascii: "-") && flag != "-"
            if isFlag == false || foreign[flag] != nil {
                rest.append(argument)
                // Its value stays with it: a login may look like a setting.
                if foreign[flag]?.takesValue == true, inline == nil, let value = Self.takeValue(&arguments) {
                    rest.append(value)
                }
                continue
            }
            if let secret = secrets[flag] {
                if inline == nil { _ = Self.takeValue(&arguments) }
                problems.append(.secretArgument(secret))
                continue
            }
            let name = names[flag]
            guard name != nil || flag == Self.configFlag else {
                let known = built + [Self.configFlag] + foreign.keys.sorted()
                problems.append(.unknown(flag, among: known))
                continue
            }
            guard let text = inline ?? Self.takeValue(&arguments) else {
                problems.append(ConfigurationProblem("\(flag) needs a value: write \(flag) <value>"))
                continue
            }
            if let key = table.keys.first(where: { $0.flag == flag }), key.holdsSecret(text) {
                problems.append(.secretArgument(key))
            } else if let name {
                layer.entries[name] = ConfigurationLayer.Entry(text: text, origin: .flag(flag))
            } else {
                configPath = text
            }
        }
    }

    private static func parts(of argument: String) -> (flag: String, inline: String?) {
        guard argument.hasPrefix("--"), let equals = argument.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            return (argument, nil)
        }
        return (String(argument[..<equals]), String(argument[argument.utf8.index(after: equals)...]))
    }

    /// The next argument, unless it is a flag itself.
    private static func takeValue(_ arguments: inout ArraySlice<String>) -> String? {
        guard let next = arguments.first, next.hasPrefix("--") == false else { return nil }
        return arguments.popFirst()
    }
}
