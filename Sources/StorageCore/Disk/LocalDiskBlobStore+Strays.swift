internal import CLinux

extension LocalDiskBlobStore {
    /// Looks through every folder of the store for names that it does not give, and through `staging` for files that an upload left
    /// there more than a day ago. What lies beside these folders is not looked at, nor what lies in a folder that is a stray itself.
    ///
    /// A file in `staging` that is younger belongs to an upload under way, or is taken away by the next start after its day.
    public func strays(limit: Int) async throws -> [Stray] {
        var found = try await strays(in: StagingFile.folder, limit: limit) { folder, name in
            guard StagingFile.isName(name) else { return .foreign }
            return try StorePreparation.isLeftover(name, in: folder) ? .abandonedUpload : nil
        }
        found += try await strays(in: "containers", limit: limit - found.count) { _, name in
            Self.container(of: name) == nil ? .foreign : nil
        }
        var names = SmallestNames(from: nil, limit: Self.containersAtOnce)
        repeat {
            names = try await list("containers", names) { Self.container(of: $0) != nil }
            for name in names.sorted where found.count < limit {
                let base = "containers/\(String(decoding: name, as: UTF8.self))"
                found += try await strays(below: base, limit: limit - found.count)
            }
            names = names.next()
        } while found.count < limit && !names.isExhausted
        return found + (try await strays(below: "store", limit: limit - found.count))
    }

    /// The strays in a folder of folders of blobs.
    private func strays(below base: String, limit: Int) async throws -> [Stray] {
        var found = try await strays(in: base, limit: limit) { _, name in Self.isPrefix(name) ? nil : .foreign }
        let prefixes = try await list(base, SmallestNames(from: nil, limit: 256)) { Self.isPrefix($0) }
        for prefix in prefixes.sorted where found.count < limit {
            let folder = "\(base)/\(String(decoding: prefix, as: UTF8.self))"
            found += try await strays(in: folder, limit: limit - found.count) { _, name in
                Self.isLeaf(name, prefix: prefix) ? nil : .foreign
            }
        }
        return found
    }

    /// The strays right in a folder, found in one pass on a thread of the store; itself, when it is none.
    private func strays(
        in folder: String, limit: Int,
        judge: @escaping @Sendable (OpenFile, UnsafeRawBufferPointer) throws -> Stray.Origin?
    ) async throws -> [Stray] {
        guard limit > 0 else { return [] }
        return try await reading.run {
            try self.translating {
                var found: [Stray] = []
                switch try self.directory.look(for: folder) {
                case .absent: break
                case .somethingElse: found.append(Stray(name: Array(folder.utf8), origin: .foreign))
                case .folder(let opened):
                    try StoreDirectory.forEachName(in: opened) { name in
                        guard found.count < limit, let origin = try judge(opened, name) else { return }
                        found.append(Stray(name: Array(folder.utf8) + [UInt8(ascii: "/")] + name, origin: origin))
                    }
                }
                return found
            }
        }
    }
}
