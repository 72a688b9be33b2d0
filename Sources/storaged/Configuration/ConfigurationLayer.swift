import Configuration

/// What one source says: texts by dotted key, each with the place it was read from.
struct ConfigurationLayer: Sendable {
    struct Entry: Sendable {
        let text: String
        let origin: ConfigurationOrigin
    }

    let source: ConfigurationOrigin.Source
    var entries: [String: Entry] = [:]

    /// The layer as a provider of text. Values that the table does not call harmless are marked secret.
    func provider(for table: ConfigurationTable) -> InMemoryProvider {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (name, entry) in entries {
            values[Self.path(of: name)] = ConfigValue(
                .string(entry.text), isSecret: table.isSecret(entry.text, of: name))
        }
        return InMemoryProvider(name: "\(source)", values: values)
    }

    /// The key of the library for a dotted name.
    static func path(of name: String) -> AbsoluteConfigKey {
        AbsoluteConfigKey(ConfigKey(name))
    }
}

extension ConfigurationLayer {
    /// The settings among variables, by own name first and by alias after it. Unknown variables are ignored, empty ones
    /// count as not given, blanks around a value do not count.
    static func variables(
        _ source: ConfigurationOrigin.Source, table: ConfigurationTable,
        lookup: (_ variable: String) -> (text: String, origin: ConfigurationOrigin)?
    ) -> ConfigurationLayer {
        var layer = ConfigurationLayer(source: source)
        let known =
            table.keys.map { (name: $0.name, variables: [$0.environmentName] + $0.aliases) }
            + table.unavailable.map { (name: $0.name, variables: [$0.environmentName]) }
            + PostgresVariables.Part.allCases.map { (name: $0.rawValue, variables: $0.variables) }
        for (name, variables) in known {
            for variable in variables {
                guard let found = lookup(variable), found.text.isEmpty == false else { continue }
                layer.entries[name] = Entry(text: found.text, origin: found.origin)
                break
            }
        }
        return layer
    }
}
