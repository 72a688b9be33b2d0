/// What a container should hold: the simplest tree that follows the rules, to compare a store with.
struct TreeModel {
    /// A file as the contents of its revisions, the oldest first; or a folder.
    enum Node: Equatable {
        case folder
        case file([Int])
    }

    /// The change breaks a rule.
    struct Refusal: Error {}

    private(set) var nodes: [String: Node] = [:]
    private let sizes: [Int]
    private let keep: Int

    /// - Parameter sizes: The number of bytes of each content.
    init(sizes: [Int], keep: Int) {
        self.sizes = sizes
        self.keep = keep
    }

    /// Every entry as a walk through the tree finds them; folders end in a slash.
    var tree: [String] {
        func below(_ prefix: String) -> [String] {
            let names = nodes.keys.filter { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains("/") }
            return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.flatMap { path in
                nodes[path] == .folder ? [path + "/"] + below(path + "/") : [path]
            }
        }
        return below("")
    }

    var usage: (bytes: Int, files: Int, revisionBytes: Int) {
        nodes.values.reduce(into: (0, 0, 0)) { usage, node in
            guard case .file(let contents) = node, let current = contents.last else { return }
            usage.0 += sizes[current]
            usage.1 += 1
            usage.2 += contents.dropLast().reduce(0) { $0 + sizes[$1] }
        }
    }

    /// The contents that a file still refers to, older revisions included.
    var contents: Set<Int> {
        nodes.values.reduce(into: []) { all, node in
            if case .file(let contents) = node { all.formUnion(contents) }
        }
    }

    mutating func put(_ content: Int, at path: String) throws {
        try checkAncestors(of: path)
        if case .file(let contents) = nodes[path] {
            guard contents.last != content else { return }
            nodes[path] = .file((contents + [content]).suffix(keep + 1))
        } else {
            guard below(path).isEmpty else { throw Refusal() }
            makeAncestors(of: path)
            nodes[path] = .file([content])
        }
    }

    mutating func makeFolder(_ path: String) throws {
        try checkAncestors(of: path)
        if case .file = nodes[path] { throw Refusal() }
        makeAncestors(of: path)
        nodes[path] = .folder
    }

    mutating func delete(_ path: String, recursively: Bool) throws {
        guard nodes[path] != nil, recursively || below(path).isEmpty else { throw Refusal() }
        for gone in below(path) + [path] { nodes[gone] = nil }
    }

    mutating func move(_ source: String, to target: String, overwrite: Bool) throws {
        guard let node = nodes[source] else { throw Refusal() }
        guard source != target else { return }
        guard !target.hasPrefix(source + "/") else { throw Refusal() }
        try checkAncestors(of: target)
        switch nodes[target] {
        case nil: break
        case .folder: guard below(target).isEmpty else { throw Refusal() }
        case .file: guard overwrite, node != .folder else { throw Refusal() }
        }
        let moved = (below(source) + [source]).map { (old: $0, new: target + $0.dropFirst(source.count)) }
        let values = moved.map { nodes[$0.old] }
        for path in moved { nodes[path.old] = nil }
        makeAncestors(of: target)
        for (path, value) in zip(moved, values) { nodes[path.new] = value }
    }

    mutating func copy(_ source: String, to target: String, overwrite: Bool) throws {
        switch nodes[source] {
        case nil:
            throw Refusal()
        case .file(let contents):
            guard source != target else { return }
            if case .file = nodes[target], !overwrite { throw Refusal() }
            guard let current = contents.last else { return }
            try put(current, at: target)
        case .folder:
            guard target != source, !target.hasPrefix(source + "/"), nodes[target] == nil else { throw Refusal() }
            let copied = below(source)
            try makeFolder(target)
            for path in copied { nodes[target + path.dropFirst(source.count)] = nodes[path].map(Self.current) }
        }
    }

    private static func current(_ node: Node) -> Node {
        if case .file(let contents) = node { .file(contents.suffix(1)) } else { node }
    }

    private func below(_ path: String) -> [String] {
        nodes.keys.filter { $0.hasPrefix(path + "/") }
    }

    private func ancestors(of path: String) -> [String] {
        let segments = path.split(separator: "/")
        return (1..<segments.count).map { segments.prefix($0).joined(separator: "/") }
    }

    private func checkAncestors(of path: String) throws {
        for ancestor in ancestors(of: path) {
            if case .file = nodes[ancestor] { throw Refusal() }
        }
    }

    private mutating func makeAncestors(of path: String) {
        for ancestor in ancestors(of: path) { nodes[ancestor] = .folder }
    }
}
