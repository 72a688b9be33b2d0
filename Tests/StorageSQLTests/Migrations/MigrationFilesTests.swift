import Foundation
import StorageMigrations
import Testing

/// The folder and the list in the program say the same.
@Suite struct MigrationFilesTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Migrations")

    @Test(arguments: [("sqlite", Migration.sqlite), ("postgres", Migration.postgres)])
    func everyFileIsListedWithItsPairAndEveryListedOneIsAFile(_ dialect: String, _ migrations: [Migration]) throws {
        let folder = Self.folder.appendingPathComponent(dialect)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let expected = migrations.flatMap { migration in
            ["down", "up"].map { direction in
                let number = String(repeating: "0", count: 4 - "\(migration.number)".count) + "\(migration.number)"
                return "\(dialect)_\(number)_\(migration.name).\(direction).sql"
            }
        }
        #expect(files == expected.sorted())
        for (file, migration) in zip(expected, migrations.flatMap { [$0, $0] }) {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            #expect(text == (file.hasSuffix(".down.sql") ? migration.down : migration.up), "\(file)")
        }
    }

    @Test func theStepsAreNumberedFromOneWithoutGaps() {
        #expect(Migration.sqlite.map(\.number) == Array(1...Migration.sqlite.count))
        #expect(Migration.postgres.map(\.number) == Array(1...Migration.postgres.count))
    }
}
