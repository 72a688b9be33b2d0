import StorageCore
import StorageTesting
import Testing

@Suite("Precondition")
struct PreconditionTests {
    private static let id = RevisionID(high: 1, low: 1)
    private static let other = RevisionID(high: 2, low: 2)
    private static let moment = Timestamp(microseconds: 5_500_000)
    private static let path = FilePath(stored: Array("a".utf8))

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let precondition: Precondition
        let holdsForRevision: Bool
        let holdsForNothing: Bool

        init(
            _ name: String, match: Precondition.Tags? = nil, noneMatch: Precondition.Tags? = nil, since: Int64? = nil,
            revision: Bool, nothing: Bool
        ) {
            testDescription = name
            precondition = Precondition(
                ifMatch: match, ifNoneMatch: noneMatch, ifUnmodifiedSince: since.map { Timestamp(microseconds: $0) })
            holdsForRevision = revision
            holdsForNothing = nothing
        }
    }

    static let cases: [Case] = [
        Case("none", revision: true, nothing: true),
        Case("If-Match: *", match: .any, revision: true, nothing: false),
        Case("If-Match: current", match: .revisions([id]), revision: true, nothing: false),
        Case("If-Match: other", match: .revisions([other]), revision: false, nothing: false),
        Case("If-Match: other, current", match: .revisions([other, id]), revision: true, nothing: false),
        Case("If-Match: unknown tags only", match: .revisions([]), revision: false, nothing: false),
        Case("If-None-Match: *", noneMatch: .any, revision: false, nothing: true),
        Case("If-None-Match: current", noneMatch: .revisions([id]), revision: false, nothing: true),
        Case("If-None-Match: other", noneMatch: .revisions([other]), revision: true, nothing: true),
        Case("If-None-Match: other, current", noneMatch: .revisions([other, id]), revision: false, nothing: true),
        Case("If-None-Match: unknown tags only", noneMatch: .revisions([]), revision: true, nothing: true),
        Case("since the same second, earlier in it", since: 5_000_000, revision: true, nothing: false),
        Case("since the same second, later in it", since: 5_999_999, revision: true, nothing: false),
        Case("since a later second", since: 6_000_000, revision: true, nothing: false),
        Case("since an earlier second", since: 4_999_999, revision: false, nothing: false),
        Case(
            "If-Match: current, since earlier is ignored", match: .revisions([id]), since: 0, revision: true,
            nothing: false),
        Case(
            "If-Match: other, since later is ignored", match: .revisions([other]), since: .max, revision: false,
            nothing: false),
        Case("If-Match: current, If-None-Match: *", match: .any, noneMatch: .any, revision: false, nothing: false),
        Case(
            "If-Match: *, If-None-Match: other", match: .any, noneMatch: .revisions([other]), revision: true,
            nothing: false),
        Case("since later, If-None-Match: *", noneMatch: .any, since: .max, revision: false, nothing: false),
        Case(
            "since later, If-None-Match: other", noneMatch: .revisions([other]), since: .max, revision: true,
            nothing: false),
    ]

    @Test("A condition holds as RFC 9110 section 13 says", arguments: cases)
    func check(_ row: Case) {
        #expect(Self.holds(row.precondition, for: Self.file(modifiedAt: Self.moment)) == row.holdsForRevision)
        #expect(Self.holds(row.precondition, for: nil) == row.holdsForNothing)
        #expect(Self.holds(row.precondition, for: Self.record(.folder, modifiedAt: Self.moment)) == row.holdsForNothing)
    }

    @Test("What was moved to a path was modified then, however old its bytes are")
    func moved() {
        let file = Self.file(modifiedAt: Timestamp(microseconds: 8_000_000))
        #expect(!Self.holds(Precondition(ifUnmodifiedSince: Self.moment), for: file))
        #expect(Self.holds(Precondition(ifUnmodifiedSince: file.modifiedAt), for: file))
    }

    private static func file(modifiedAt: Timestamp) -> FileRecord {
        let revision = Revision(
            id: id, blob: BlobKey(space: .shared, digest: .random()), size: 1, mediaType: .octetStream, sentName: nil,
            createdAt: moment)
        return record(.file(revision), modifiedAt: modifiedAt)
    }

    private static func record(_ entry: FileRecord.Entry, modifiedAt: Timestamp) -> FileRecord {
        FileRecord(
            id: FileID(), container: ContainerID(), path: path, entry: entry, kind: .other, createdAt: moment,
            modifiedAt: modifiedAt)
    }

    private static func holds(_ precondition: Precondition, for file: FileRecord?) -> Bool {
        do {
            try precondition.check(file)
            return true
        } catch {
            #expect((error as? StorageError)?.code == .preconditionFailed)
            return false
        }
    }
}
