internal import CLinux

extension LocalDiskBlobStore {
    /// How many container names are taken from one pass over their folder.
    static let containersAtOnce = 1_024

    /// One page of keys: reads the folders that it has keys of, and the list of containers, and nothing else.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        var page: [BlobKey] = []
        // `containers` comes before `store`.
        if key?.space != .shared {
            var names = SmallestNames(
                from: key.map { Array($0.space.id.description.utf8) }, limit: Self.containersAtOnce)
            repeat {
                names = try await list("containers", names) { Self.container(of: $0) != nil }
                for name in names.sorted where page.count < limit {
                    guard let id = Self.container(of: name) else { continue }
                    try await append(to: &page, of: Space(id: id), after: key, limit: limit)
                }
                names = names.next()
            } while page.count < limit && !names.isExhausted
        }
        try await append(to: &page, of: .shared, after: key, limit: limit)
        return page
    }

    private func append(to page: inout [BlobKey], of space: Space, after key: BlobKey?, limit: Int) async throws {
        let after = key?.space == space ? key : nil
        let base = space == .shared ? "store" : "containers/\(space.id)"
        let prefixes = try await list(base, SmallestNames(from: after.map { Array($0.digest.prefix.utf8) }, limit: 256))
        {
            Self.isPrefix($0)
        }
        for prefix in prefixes.sorted where page.count < limit {
            let folder = "\(base)/\(String(decoding: prefix, as: UTF8.self))"
            let last = after?.folder == folder ? after.map { Array($0.leaf.utf8) } : nil
            let leaves = try await list(folder, SmallestNames(after: last, limit: limit - page.count)) {
                Self.isLeaf($0, prefix: prefix)
            }
            page += leaves.sorted.compactMap { BlobKey(name: Array(folder.utf8) + [UInt8(ascii: "/")] + $0) }
        }
    }

    /// Passes over a folder once, on a thread of the store; a folder that is not there, or is none, has no names.
    func list(
        _ folder: String, _ names: SmallestNames, isKnown: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool
    ) async throws -> SmallestNames {
        guard names.limit > 0 else { return names }
        return try await reading.run {
            try self.translating {
                var names = names
                guard case .folder(let opened) = try self.directory.look(for: folder) else { return names }
                try StoreDirectory.forEachName(in: opened) { if isKnown($0) { names.insert($0) } }
                return names
            }
        }
    }

    /// The container whose folder has this name; nil for every other name.
    static func container(of name: some Collection<UInt8>) -> ContainerID? {
        guard let id = ContainerID(text: name), !id.isNil, id.description.utf8.elementsEqual(name) else { return nil }
        return id
    }

    /// Whether a name is one that ``BlobKey/leaf`` writes, of a digest that belongs into the folder.
    static func isLeaf(_ name: UnsafeRawBufferPointer, prefix: [UInt8]) -> Bool {
        guard name.count >= 64, name.prefix(64).allSatisfy(isLowerHexadecimal), name.starts(with: prefix) else {
            return false
        }
        let suffix = name.dropFirst(64)
        guard let dot = suffix.first else { return true }
        let digits = suffix.dropFirst()
        guard dot == UInt8(ascii: "."), digits.first != UInt8(ascii: "0") else { return false }
        return DecimalNumber.parse(digits) != nil
    }

    /// Whether a name is that of a folder of blobs.
    static func isPrefix(_ name: UnsafeRawBufferPointer) -> Bool {
        name.count == 2 && name.allSatisfy(isLowerHexadecimal)
    }

    private static func isLowerHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}

extension StoreDirectory {
    /// Calls the body with each name in a folder, in no order.
    static func forEachName(in folder: OpenFile, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var failure: CInt = 0
        guard let listing = linux_listing_open(folder.descriptor, &failure) else {
            throw SystemCallError(call: "fdopendir", errno: -failure)
        }
        defer { linux_listing_close(listing) }
        var name: UnsafePointer<CChar>?
        var length = 0
        while try SystemCallError.check("readdir", linux_listing_next(listing, &name, &length)) > 0 {
            try body(UnsafeRawBufferPointer(start: name, count: length))
        }
    }
}
