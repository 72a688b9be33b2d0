import StorageCore
import StorageTesting
import Testing

@testable import StorageS3

@Suite("S3BlobStore keeps the contract of BlobStore, on a real server", .enabled(if: S3Server.bucket != nil))
struct S3BlobStoreConformanceTests {
    @Test(arguments: BlobStoreConformance.clauses + BlobStoreConformance.streamingClauses)
    func holds(_ clause: BlobStoreConformance.Clause) async throws {
        let place = try await S3Place()
        try await clause.check { try await place.open() }
        let open = try place.openFiles
        #expect(open.isEmpty, "The spool must hold on to nothing.")
    }

    @Test("in parts of the smallest size that the server takes", arguments: BlobStoreConformance.clauses)
    func holdsInParts(_ clause: BlobStoreConformance.Clause) async throws {
        let place = try await S3Place()
        try await clause.check {
            try await place.open {
                $0.multipartThreshold = 100_000
                $0.partSize = 5 << 20
            }
        }
        let open = try place.openFiles
        #expect(open.isEmpty, "The spool must hold on to nothing.")
    }

    @Test("where the server does not understand If-None-Match", arguments: BlobStoreConformance.clauses)
    func holdsWithoutConditions(_ clause: BlobStoreConformance.Clause) async throws {
        let place = try await S3Place()
        try await clause.check { try await place.openWithoutConditions() }
    }
}
