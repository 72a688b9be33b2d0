import Foundation
import StorageCore
import Testing

@testable import storaged

@Suite("A database server that cannot be reached")
struct UnreachableDatabaseTests {
    private func configuration(_ directory: DataDirectory) throws -> StoragedConfiguration {
        try directory.configuration(["database.url": "postgres://ada:hunter2@127.0.0.1:1/files"])
    }

    @Test("is tried once, or for as long as there is patience", arguments: [Duration.zero, .seconds(2)])
    func patience(_ patience: Duration) async throws {
        let configuration = try configuration(DataDirectory())
        var failure: StorageError?
        let time = await ContinuousClock().measure {
            do {
                _ = try await Stores.openDatabase(configuration, patience: Patience(duration: patience))
            } catch {
                failure = error as? StorageError
            }
        }
        #expect(failure?.code == .unavailable)
        #expect(failure?.isTransient == true)
        #expect(time > patience - .seconds(1))
        let text = failure?.description ?? ""
        #expect(text.contains("database.url: 'postgres://ada:***@127.0.0.1:1/files' (DATABASE_URL in the environment)"))
        #expect(!text.contains("hunter2"))
    }

    @Test("ends a command with 69, which has made nothing", arguments: [["migrate", "up"], ["migrate", "status"]])
    func status(arguments: [String]) throws {
        let fixture = try ConfigurationFixture()
        let program = try Program(
            arguments, environment: ["DATABASE_URL": "postgres://ada:hunter2@127.0.0.1:1/files"], in: fixture.directory)
        #expect(program.status == 69)
        #expect(!program.errors.contains("hunter2"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [])
    }
}
