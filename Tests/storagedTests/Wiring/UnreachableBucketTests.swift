import Foundation
import StorageCore
import Testing

@testable import storaged

@Suite("A bucket that cannot be used")
struct UnreachableBucketTests {
    private static let environment = [
        "S3_ENDPOINT": "http://127.0.0.1:1", "S3_BUCKET": "files", "S3_ACCESS_KEY": "ada", "S3_SECRET_KEY": "hunter2",
    ]

    @Test(
        "ends a command with 69 where its server cannot be reached, and nothing was made",
        arguments: [["gc"], ["fsck"], ["import", ".", "--account", "ann"]])
    func status(arguments: [String]) throws {
        let fixture = try ConfigurationFixture()
        let program = try Program(arguments, environment: Self.environment, in: fixture.directory)
        #expect(program.status == 69, "\(program.errors)")
        #expect(program.errors.contains("s3.endpoint: 'http://127.0.0.1:1' (S3_ENDPOINT in the environment)"))
        #expect(!program.errors.contains("hunter2"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [])
    }

    @Test("keeps nobody from working with accounts, whose database is enough")
    func accounts() async throws {
        let directory = try DataDirectory()
        #expect(try await directory.refusal() == nil)
        for arguments in [
            ["user", "add", "ann", "--password-stdin"], ["user", "disable", "ann"], ["token", "list", "ann"],
        ] {
            let program = try Program(
                arguments + ["--data-directory", directory.path], environment: Self.environment,
                in: NSTemporaryDirectory(), input: "correct horse\n")
            #expect(program.status == 0, "\(program.errors)")
        }
    }

    @Test("is tried for as long as there is patience", arguments: [Duration.zero, .seconds(2)])
    func patience(_ patience: Duration) async throws {
        let directory = try DataDirectory()
        let configuration = try directory.configuration([
            "s3.endpoint": "http://127.0.0.1:1", "s3.bucket": "files", "s3.access-key": "ada",
            "s3.secret-key": "hunter2",
        ])
        var failure: StorageError?
        var parts = OpenParts()
        let time = try await ContinuousClock().measure {
            do {
                _ = try await BlobStores(
                    configuration, creatingAfter: StoreHistory(), patience: Patience(duration: patience), &parts)
            } catch let error as StorageError {
                failure = error
            }
        }
        #expect(failure?.code == .unavailable)
        #expect(failure?.isTransient == true)
        #expect(time > patience - .seconds(1))
        #expect(!FileManager.default.fileExists(atPath: directory.path))
    }
}
