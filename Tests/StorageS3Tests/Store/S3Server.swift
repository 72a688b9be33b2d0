import Foundation
import StorageCore
import Testing

@testable import StorageS3

/// The S3 server that tests have of their own; `make test` starts it.
enum S3Server {
    /// Where it is; nil where there is none. CI counts a test that does not run for that as a failure.
    static let bucket: S3Configuration? = {
        guard let endpoint = value("ENDPOINT"), let accessKey = value("ACCESS_KEY"),
            let secretKey = value("SECRET_KEY"),
            let bucket = value("BUCKET")
        else { return nil }
        return S3Configuration(
            endpoint: endpoint, region: value("REGION") ?? "us-east-1", bucket: bucket,
            credentials: S3Credentials(accessKey: accessKey, secretKey: secretKey))
    }()

    private static func value(_ name: String) -> String? {
        ProcessInfo.processInfo.environment["STORAGED_TEST_S3_\(name)"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A place of a test's own in the bucket.
    static func configuration() throws -> S3Configuration {
        var configuration = try #require(bucket, "There is no S3 server.")
        configuration.prefix = "tests/\(UUID().uuidString.lowercased())"
        return configuration
    }
}

/// A store in a place of its own, with a spool of its own that goes with the last reference: it must outlive the store.
final class S3Place: Sendable {
    let configuration: S3Configuration
    let spool: LocalDiskBlobStore
    private let directory: TemporaryDirectory

    init(_ configuration: S3Configuration? = nil) async throws {
        self.configuration = try configuration ?? S3Server.configuration()
        directory = try TemporaryDirectory()
        var settings = LocalDiskBlobStore.Configuration()
        settings.isSpool = true
        spool = try await LocalDiskBlobStore.open(directory: directory.path, configuration: settings)
    }

    /// Opens the store in this place.
    func open(_ change: (inout S3Configuration) -> Void = { _ in }) async throws -> S3BlobStore {
        var configuration = configuration
        change(&configuration)
        return try await S3BlobStore.open(configuration) { spool }
    }

    /// Opens the store as on a server that does not understand `If-None-Match`.
    func openWithoutConditions() async throws -> S3BlobStore {
        let store = try await open()
        let facts = S3StoreFacts(
            storeID: store.storeID, isNew: store.isNew, hasConditionalPut: false,
            keepsVersions: store.facts.keepsVersions)
        return S3BlobStore(configuration, store.bucket, store.caller, facts, spool: store.spool)
    }

    /// What the spool holds on to.
    var openFiles: [String] { get throws { try directory.openFiles } }
}
