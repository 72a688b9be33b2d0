/// The text in force of every key, and where it came from.
struct ConfigurationValues: Sendable {
    struct Value: Sendable {
        let key: any ConfigurationKeyDescription
        let text: String
        let origin: ConfigurationOrigin
    }

    /// In the order of the table.
    let all: [Value]
    private let byName: [String: Value]

    init(_ all: [Value]) {
        self.all = all
        byName = Dictionary(all.map { ($0.key.name, $0) }) { first, _ in first }
    }

    func value(named name: String) -> Value? {
        byName[name]
    }

    /// The value of `key`. A key that is not in the table reads as the empty text.
    subscript<Value>(key: ConfigurationKey<Value>) -> Value {
        get throws(ValueRefusal) { try key.format.value(of: byName[key.name]?.text ?? "") }
    }
}

extension ConfigurationValues: CustomStringConvertible {
    /// A line for every key: name, value in force, source. Secrets are redacted.
    var description: String {
        let rows = all.map { ($0.key.name, $0.key.shown($0.text).escapedForDisplay, $0.origin.description) }
        let names = rows.map { $0.0.count }.max() ?? 0
        let texts = min(rows.map { $0.1.count }.max() ?? 0, 48)
        return rows.map { row in
            row.0.padded(to: names) + "  " + row.1.padded(to: texts) + "  " + row.2
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
