/// The set of containers that share their blobs: equal bytes inside one space are stored once.
///
/// The shared space serves all registered users; a token account's container is a space of its own, so that such a client's
/// data lies in an individual container, on disk and in a bucket.
public struct Space: Hashable, Sendable {
    /// The container whose own space this is; the nil UUID for the shared space.
    public let id: Identifier<Container>

    /// The space that deduplicates across registered users.
    public static let shared = Space(id: Identifier(high: 0, low: 0))

    /// The space with this id.
    public init(id: Identifier<Container>) {
        self.id = id
    }
}

/// Where a blob's bytes lie: the same name on disk and in a bucket.
///
/// `store/ab/<sha256>` in the shared space, `containers/<container-id>/ab/<sha256>` in a container's own, with `.<generation>`
/// behind it for a generation other than 0. A key whose deletion was ever authorised must never be written again: the first
/// life of a digest in its space has generation 0, every later one a random 63-bit number.
public struct BlobKey: Hashable, Sendable {
    /// The space that the blob belongs to.
    public let space: Space
    /// The digest of the bytes.
    public let digest: BlobDigest
    /// 0, or a random number between 1 and 2^63 - 1.
    public let generation: Int64

    /// Makes the key of one life of a digest in a space.
    public init(space: Space, digest: BlobDigest, generation: Int64 = 0) {
        self.space = space
        self.digest = digest
        self.generation = generation
    }

    /// A generation for a digest that had a life before.
    public static func newGeneration() -> Int64 { Int64.random(in: 1...Int64.max) }

    /// The folder of the key, without a slash at either end.
    public var folder: String {
        space == .shared ? "store/\(digest.prefix)" : "containers/\(space.id)/\(digest.prefix)"
    }

    /// The last part of the name: the digest, and the generation unless it is 0.
    public var leaf: String {
        generation == 0 ? digest.hex : "\(digest.hex).\(generation)"
    }

    /// The whole name, relative to the store.
    public var name: String { "\(folder)/\(leaf)" }

    /// Reads a whole name as ``name`` writes it; nil for every other form.
    public init?(name: some Collection<UInt8>) {
        let whole = Array(name)
        let parts = whole.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let space: Space
        switch parts.count {
        case 3 where parts[0].elementsEqual("store".utf8):
            space = .shared
        case 4 where parts[0].elementsEqual("containers".utf8):
            guard let id = Identifier<Container>(text: parts[1]), !id.isNil else { return nil }
            space = Space(id: id)
        default:
            return nil
        }
        self.init(space: space, leaf: parts[parts.count - 1])
        guard self.name.utf8.elementsEqual(whole) else { return nil }
    }

    private init?(space: Space, leaf: ArraySlice<UInt8>) {
        guard let digest = BlobDigest(hex: leaf.prefix(64)) else { return nil }
        var generation: Int64 = 0
        let suffix = leaf.dropFirst(64)
        if !suffix.isEmpty {
            guard suffix.first == UInt8(ascii: "."), let number = DecimalNumber.parse(suffix.dropFirst()), number > 0
            else {
                return nil
            }
            generation = number
        }
        self.init(space: space, digest: digest, generation: generation)
    }
}

extension BlobKey: Comparable {
    /// Orders by the bytes of the name, as a bucket lists it.
    public static func < (one: Self, other: Self) -> Bool {
        one.name.utf8.lexicographicallyPrecedes(other.name.utf8)
    }
}

extension BlobKey: CustomStringConvertible {
    /// The whole name.
    public var description: String { name }
}
