import StorageCore

/// One thing that is done to a store. Everything is meant by its number among a few, so that an operation means the same whatever
/// others are left out.
enum ModelOperation: Sendable {
    case register(account: Int)
    case close(account: Int)
    case disable(account: Int, Bool)
    case setPassword(account: Int, to: Int, replacing: Int?)
    case setLimits(account: Int, ContainerLimits)
    case addCredential(Int, account: Int, lifetime: Span?, idle: Span?)
    case touchCredential(Int, idle: Span?)
    case revokeCredential(Int, account: Int)
    case revokeCredentials(account: Int, except: Int?)
    case lookAtAccounts

    case begin(upload: Int)
    case claim(upload: Int, content: Int, lease: Span)
    case reserve(upload: Int, needed: Int64, wanted: Int64, addsFile: Bool)
    case renew(upload: Int, lease: Span)
    case abandon(upload: Int)
    case commit(upload: Int, Destination)
    /// Begins, claims and commits.
    case put(upload: Int, content: Int, Destination)

    case makeFolder(account: Int, FilePath)
    case delete(Place, Condition)
    case deleteTree(account: Int, FilePath, limit: Int)
    case move(Place, Target)
    case copy(Place, Target)
    /// Makes one of the revisions current again, by how many are newer.
    case restore(Place, newer: Int, Condition, keep: Int)
    case lookAtRevisions(Place, limit: Int)
    case search(account: Int, FilePath?, text: String, suffix: String?, limit: Int, stretch: Int)
    case lookAtFolders(account: Int, limit: Int)
    case find(Place)
    case findPublished(PublicName)
    case list(account: Int, ListQuery.Scope, kind: FileKind?, after: FilePath?, limit: Int)
    case lookAtUsage(account: Int)

    case doom(grace: Span, retry: Span, limit: Int)
    /// Reports all that were handed out to be deleted.
    case settle
    case damage(content: Int, account: Int)
    case tidy(Chore)
    case setting(Int, default: Int?)
    /// All files, blobs, containers and uploads.
    case inspect

    /// A time that is over by the time of the next operation, or not during the check.
    enum Span: String, Sendable, CustomStringConvertible {
        case over
        case long

        var description: String { rawValue }

        var microseconds: Int64 { self == .over ? -1_000_000 : 3_600_000_000 }
    }

    /// Where a file is, by its path or by the id that was last seen there.
    struct Place: Sendable, CustomStringConvertible {
        let account: Int
        let path: FilePath
        let byID: Bool

        var description: String { "\(byID ? "id of " : "")\(path) of \(account)" }
    }

    /// Where bytes go, and as what.
    struct Destination: Sendable, CustomStringConvertible {
        let account: Int
        let path: FilePath
        let mediaType: Int
        let sentName: String?
        let kind: FileKind
        let condition: Condition
        let link: PublicName?
        let keep: Int

        var description: String {
            let name = sentName.map { " named \($0.unicodeScalars.map(\.value))" } ?? ""
            let published = link.map { " published as \($0)" } ?? ""
            return
                "\(path) of \(account), type \(mediaType), \(kind)\(name)\(published), keeping \(keep), if \(condition)"
        }
    }

    /// Where a file or folder goes.
    struct Target: Sendable, CustomStringConvertible {
        let path: FilePath
        let kind: FileKind?
        let overwrite: Bool
        let condition: Condition
        let keep: Int

        var description: String {
            "to \(path), \(kind.map { "\($0)" } ?? "same kind"), \(overwrite ? "over" : "beside") what is there, "
                + "keeping \(keep), if \(condition)"
        }
    }

    /// A name that a file is published under.
    enum PublicName: Sendable {
        case content(Int)
        case uid(Int)
    }

    /// A precondition; `seen` is the revision that was last seen at the path.
    enum Condition: String, Sendable, CaseIterable, CustomStringConvertible {
        case always
        case exists
        case isNew
        case isSeen
        case isNotSeen
        case unmodifiedSinceEver
        case unmodifiedInFuture

        var description: String { rawValue }
    }
}

extension ModelOperation {
    /// The accounts: two that share a space, one with a space of its own, one of a token.
    static let accounts = 4
    static let contents = 7
    static let uploads = 6
    /// An upload is for one container.
    static func account(of upload: Int) -> Int { upload % accounts }

    static let credentials = 5
    static let uids = 3
    static let settings = 3

    /// The sizes of the contents: all sums of a few of them differ.
    static func size(of content: Int) -> Int64 { [0, 1, 10, 40, 130, 350, 900][content] }

    /// The limits of an account that has none of its own.
    static func defaultLimits(of account: Int) -> ContainerLimits {
        account == 1 ? ContainerLimits(bytes: 1_500, files: 6) : .none
    }

    static let paths: [FilePath] =
        [
            "a", "a/a", "a/b", "a/b/a", "a/b/c", "a/c", "a.b", "a0", "b", "b/a", "b/\u{E9}", "b/e\u{301}", "c/d/e/f",
            "a/" + String(repeating: "n", count: 40),
            Array(repeating: String(repeating: "x", count: 248), count: 4).joined(separator: "/"),
        ].map { FilePath(stored: Array($0.utf8)) }

    /// What every check begins with.
    static let opening = (0..<accounts).map { ModelOperation.register(account: $0) }

    static func random(_ random: inout SeededGenerator) -> ModelOperation {
        var draw = Draw(random: random)
        defer { random = draw.random }
        return draw.operation()
    }
}
