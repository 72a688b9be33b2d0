/// Figures on their way to being text of Prometheus' exposition format 0.0.4.
struct PrometheusText {
    /// What a client is told about the text.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []

    /// Appends all figures of a name; nothing where there are none yet.
    mutating func append(_ family: MetricFamily, name: String, help: String?) {
        var lines = PrometheusText()
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            series.write(name: name, labels: labels, to: &lines)
        }
        guard !lines.bytes.isEmpty else { return }
        if let help { append("# HELP \(name) \(Self.escaped(help, quotes: false))\n") }
        append("# TYPE \(name) \(family.kind.rawValue)\n")
        bytes += lines.bytes
    }

    /// Appends one figure.
    mutating func line(_ name: String, _ labels: String, _ value: String) {
        append(name)
        if !labels.isEmpty {
            append("{")
            append(labels)
            append("}")
        }
        append(" ")
        append(value)
        append("\n")
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    // MARK: Words of the format

    /// A number as Go's `ParseFloat` reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    /// A name that Prometheus takes: letters, digits, `_` and `:`, no digit in front.
    static func name(_ text: String) -> String {
        word(text) { $0 == UInt8(ascii: ":") }
    }

    /// Labels as they stand between the braces, in their order; of two with one name the first.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var names: Set<String> = []
        var parts: [String] = []
        for (key, value) in dimensions {
            let name = word(key) { _ in false }
            // What a histogram says its bounds with.
            let own = name == "le" || name == "quantile" ? name + "_" : name
            if names.insert(own).inserted { parts.append("\(own)=\"\(escaped(value, quotes: true))\"") }
        }
        return parts.joined(separator: ",")
    }

    private static func word(_ text: String, allowing isAllowed: (UInt8) -> Bool) -> String {
        let bytes = text.utf8.map { byte in
            let isFine = ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == ASCII.underscore || isAllowed(byte)
            return isFine ? byte : ASCII.underscore
        }
        let begins = bytes.first.map { !ASCII.isDigit($0) } ?? false
        return (begins ? "" : "_") + String(decoding: bytes, as: UTF8.self)
    }

    /// A text in one line.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
            case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
            case UInt8(ascii: "\"") where quotes: bytes += Array("\\\"".utf8)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
