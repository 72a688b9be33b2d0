import HTTPTypes
import StorageCore

/// Finding files by their names, of the accounts-and-paths dialect.
let searchRoutes = [
    Route(.post, "/api/v1/files/search") { call in
        let principal = try await call.principal()
        let search = try FileSearch(JSONBody.parse(try await call.smallBody()))
        let files = try await call.storage.search(search, as: principal, while: call.isWanted)
        return .json { json in
            // The assignment's spelling comes first.
            for name in ["mathes", "matches"] as [StaticString] {
                json.name(name)
                json.array { json in for file in files { file.write(to: &json) } }
            }
        }
    }
]

extension FileSearch {
    /// Reads a search as a client sends it.
    ///
    /// - Throws: 422 that names the field.
    fileprivate init(_ body: JSONObject) throws {
        self.init(pattern: try NamePattern(Array((try body.string("query") ?? "").utf8)))
        guard let options = try body.object("options") else { return }
        folder = try options.string("path").flatMap { try FilePath(folder: Array($0.utf8)) }
        suffix = try options.string("extension").map { try Self.suffix(Array($0.utf8)) }
        if let order = try options.string("order_by") {
            guard let order = Order(rawValue: order) else {
                let known = Order.allCases.map(\.rawValue).joined(separator: ", ")
                throw StorageError(.unprocessable, "order_by: must be one of \(known).")
            }
            self.order = order
        }
        limit = try Call.limit(try options.integer("limit"), usually: Self.usualLimit)
    }

    private static func suffix(_ bytes: [UInt8]) throws -> [UInt8] {
        guard let first = bytes.first, first != ASCII.dot, !bytes.contains(ASCII.slash),
            bytes.count < FilePath.maximumSegmentBytes
        else {
            throw StorageError(
                .unprocessable, "extension: must be the end of a name behind a dot, without the dot, such as pdf.")
        }
        return bytes
    }
}

extension FilePath {
    /// Reads the path of a folder, which may begin and end in slashes; nil for the root.
    fileprivate init?(folder: [UInt8]) throws {
        var bytes = folder[...]
        while bytes.last == ASCII.slash { bytes.removeLast() }
        guard !bytes.isEmpty else { return nil }
        try self.init(bytes)
    }
}
