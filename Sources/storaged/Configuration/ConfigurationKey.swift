/// One setting of the daemon: its names, its format, its default and its meaning.
///
/// The dotted name is what YAML says; the variable and the flag follow from it: `http.port`, `HTTP_PORT`, `--http-port`.
struct ConfigurationKey<Value: Sendable>: Sendable {
    let name: String
    /// Further names in the environment and in `.env`, weaker than the own one.
    let aliases: [String]
    let format: ValueFormat<Value>
    let fallback: DefaultText
    /// Whether every value is one. Of other keys the format knows which values are.
    let isSecret: Bool
    /// One line.
    let help: String

    init(
        _ name: String, _ format: ValueFormat<Value>, default fallback: DefaultText, aliases: [String] = [],
        isSecret: Bool = false, help: String
    ) {
        self.name = name
        self.aliases = aliases
        self.format = format
        self.fallback = fallback
        self.isSecret = isSecret
        self.help = help
    }
}

/// The text that a setting has when no source gives one.
enum DefaultText: Sendable, ExpressibleByStringLiteral {
    case fixed(String)
    /// Nothing, and the word that says so, which may be given as well.
    case nothing(shown: String)
    /// A text that follows from other settings or from where the process runs, and how the manual describes it.
    case derived(described: String, @Sendable (DefaultContext) -> String)

    init(stringLiteral value: String) {
        self = .fixed(value)
    }

    func text(in context: DefaultContext) -> String {
        switch self {
        case .fixed(let text): text
        case .nothing: ""
        case .derived(_, let text): text(context)
        }
    }

    var described: String {
        switch self {
        case .fixed(let text): text
        case .nothing(let word): word
        case .derived(let described, _): described
        }
    }
}

/// What defaults may depend on: texts that sources gave, unjudged, and where the process runs.
struct DefaultContext: Sendable {
    let dataDirectory: String
    let databaseURL: String?
    let blobsStore: String?
    var blobsFallback: String?
    /// The empty text where there is none.
    var bucket = ""
    let isTerminal: Bool

    /// Whether any files lie in a bucket, by the settings that are given.
    var usesBucket: Bool {
        blobsFallback?.asciiLowercased == "s3" || (blobsStore.map { $0.asciiLowercased == "s3" } ?? !bucket.isEmpty)
    }
}

/// A key of the table without the type of its value.
protocol ConfigurationKeyDescription: Sendable {
    var name: String { get }
    var aliases: [String] { get }
    var fallback: DefaultText { get }
    var isSecret: Bool { get }
    /// Whether a YAML list may stand for texts with commas between them.
    var takesList: Bool { get }
    var help: String { get }
    /// Throws when `text` cannot be a value of this key.
    func check(_ text: String) throws(ValueRefusal)
    /// `text` as it may be printed: never a secret.
    func shown(_ text: String) -> String
    /// Whether nobody else may read `text`.
    func holdsSecret(_ text: String) -> Bool
}

extension ConfigurationKey: ConfigurationKeyDescription {
    func check(_ text: String) throws(ValueRefusal) {
        _ = try format.value(of: text)
    }

    var takesList: Bool { format.takesList }

    func holdsSecret(_ text: String) -> Bool { isSecret || format.holdsSecret(text) }

    func shown(_ text: String) -> String {
        if text.isEmpty, case .nothing(let word) = fallback { return word }
        return isSecret ? (text.isEmpty ? "" : "***") : format.shown(text)
    }
}

extension ConfigurationKeyDescription {
    var environmentName: String { name.environmentSpelling }
    var flag: String { name.flagSpelling }

    /// What somebody gave, or the empty text for the word that stands for nothing.
    func normalized(_ text: String) -> String {
        if case .nothing(let word) = fallback, text.asciiLowercased == word { return "" }
        return text
    }
}
