import Yams

/// The settings of a YAML file: nested mappings or dotted keys, every value one text.
///
/// Values stay the text that stands in the file, whatever YAML makes of `True`, `30` or `0x10`: the settings judge it. An
/// unknown key, a key given twice, a list where one value is needed is a problem that names the line; a key without a value is as
/// good as absent.
struct YAMLFile: Sendable {
    private(set) var layer = ConfigurationLayer(source: .yaml)
    private(set) var problems: [ConfigurationProblem] = []

    private let name: String
    private let known: Set<String>
    private let names: [String]
    private let table: ConfigurationTable
    private var visited = 0

    /// More than any sensible file has: aliases may repeat a mapping without end.
    private static let maximumKeys = 1_000
    private static let maximumDepth = 8

    /// Reads `text`; `name` is what messages call the file. Messages never quote values or lines.
    init(_ text: String, name: String, table: ConfigurationTable = .storaged) {
        self.name = name
        self.names = table.names
        self.table = table
        self.known = Set(names)
        do {
            guard let root = try Yams.Parser(yaml: text).singleRoot(), root.isNull == false else { return }
            guard let mapping = root.mapping else {
                problems.append(ConfigurationProblem("\(name): write a mapping, such as http: {port: 8080}"))
                return
            }
            walk(mapping, below: "", depth: 1)
        } catch let error as YamlError {
            problems.append(ConfigurationProblem("\(name)\(error.plainDescription)"))
        } catch {
            problems.append(ConfigurationProblem("\(name) is not YAML; write a mapping, such as http: {port: 8080}"))
        }
    }

    private mutating func walk(_ mapping: Node.Mapping, below prefix: String, depth: Int) {
        for (keyNode, node) in mapping {
            visited += 1
            guard visited <= Self.maximumKeys else {
                if visited == Self.maximumKeys + 1 {
                    problems.append(
                        ConfigurationProblem("\(name) has more than \(Self.maximumKeys) keys; leave only settings"))
                }
                return
            }
            let line = keyNode.mark?.line ?? mapping.mark?.line ?? 1
            guard let part = keyNode.scalar?.string else {
                problems.append(ConfigurationProblem("\(name), line \(line): a key is a plain word, such as http.port"))
                continue
            }
            let key = prefix.isEmpty ? part : prefix + "." + part
            if let inner = node.mapping, known.contains(key) == false, depth < Self.maximumDepth, inner.isEmpty == false
            {
                walk(inner, below: key, depth: depth + 1)
            } else {
                take(key, node, line: line)
            }
        }
    }

    private mutating func take(_ key: String, _ node: Node, line: Int) {
        let origin = ConfigurationOrigin.yaml(file: name, line: line)
        guard known.contains(key) else {
            let members = names.filter { $0.hasPrefix(key + ".") }
            if members.isEmpty {
                problems.append(.unknown(key, at: origin.description, among: table.keys.map(\.name)))
            } else if node.isNull == false, node.mapping == nil {
                let list = members.joined(separator: ", ")
                problems.append(ConfigurationProblem("\(key) (\(origin)) takes no value; it holds the keys \(list)"))
            }
            return
        }
        guard node.isNull == false else { return }
        let takesList = table.keys.first { $0.name == key }?.takesList ?? false
        guard let text = node.scalar?.string ?? (takesList ? node.listText : nil) else {
            let form = takesList ? "one value or a list of them, not a mapping" : "one value, not a list or a mapping"
            return problems.append(ConfigurationProblem("\(key) (\(origin)) takes \(form)"))
        }
        if let earlier = layer.entries.updateValue(.init(text: text, origin: origin), forKey: key) {
            problems.append(
                ConfigurationProblem("\(key) (\(origin)) is given twice, first in \(earlier.origin); leave one of them")
            )
        }
    }
}

extension Node {
    /// The entries of a list of texts, with commas between them.
    fileprivate var listText: String? {
        guard let entries = sequence?.map({ $0.scalar?.string }), !entries.contains(nil) else { return nil }
        return entries.compactMap { $0 }.joined(separator: ", ")
    }

    fileprivate var isNull: Bool {
        guard let scalar else { return false }
        return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

extension YamlError {
    /// What is wrong and where, without the snippet of the file that Yams adds: it may show a secret.
    fileprivate var plainDescription: String {
        switch self {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ", line \(mark.line): not YAML (\(problem)); check quotes, colons and indentation"
        case .duplicatedKeysInMapping(let duplicates, let context):
            ", line \(context.mark.line): \(duplicates.sorted().map(\.quotedForDisplay).joined(separator: ", "))"
                + " is given twice; leave one of them"
        default: ": not YAML; write plain UTF-8 text"
        }
    }
}
