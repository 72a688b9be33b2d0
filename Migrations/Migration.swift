/// One numbered step of the schema, as it is released: never changed afterwards.
public struct Migration: Sendable {
    /// The place in the order, from 1 without gaps.
    public let number: Int
    /// What it does, in a few words.
    public let name: String
    /// The statements that make the step.
    public let up: String
    /// The statements that undo it.
    public let down: String

    /// All steps for SQLite, in order.
    public static let sqlite: [Migration] = [
        Migration(
            number: 1, name: "initial",
            up: PackageResources.sqlite_0001_initial_up_sql,
            down: PackageResources.sqlite_0001_initial_down_sql),
        Migration(
            number: 2, name: "limits",
            up: PackageResources.sqlite_0002_limits_up_sql,
            down: PackageResources.sqlite_0002_limits_down_sql),
        Migration(
            number: 3, name: "facts",
            up: PackageResources.sqlite_0003_facts_up_sql,
            down: PackageResources.sqlite_0003_facts_down_sql),
        Migration(
            number: 4, name: "damage",
            up: PackageResources.sqlite_0004_damage_up_sql,
            down: PackageResources.sqlite_0004_damage_down_sql),
        Migration(
            number: 5, name: "paths",
            up: PackageResources.sqlite_0005_paths_up_sql,
            down: PackageResources.sqlite_0005_paths_down_sql),
    ]

    /// All steps for Postgres, in order; each makes the same tables and columns as that of the same number for SQLite.
    public static let postgres: [Migration] = [
        Migration(
            number: 1, name: "initial",
            up: PackageResources.postgres_0001_initial_up_sql,
            down: PackageResources.postgres_0001_initial_down_sql),
        Migration(
            number: 2, name: "limits",
            up: PackageResources.postgres_0002_limits_up_sql,
            down: PackageResources.postgres_0002_limits_down_sql),
        Migration(
            number: 3, name: "facts",
            up: PackageResources.postgres_0003_facts_up_sql,
            down: PackageResources.postgres_0003_facts_down_sql),
        Migration(
            number: 4, name: "damage",
            up: PackageResources.postgres_0004_damage_up_sql,
            down: PackageResources.postgres_0004_damage_down_sql),
        Migration(
            number: 5, name: "paths",
            up: PackageResources.postgres_0005_paths_up_sql,
            down: PackageResources.postgres_0005_paths_down_sql),
    ]

    private init(number: Int, name: String, up: [UInt8], down: [UInt8]) {
        self.number = number
        self.name = name
        self.up = String(decoding: up, as: UTF8.self)
        self.down = String(decoding: down, as: UTF8.self)
    }

    package init(number: Int, name: String, up: String, down: String) {
        self.number = number
        self.name = name
        self.up = up
        self.down = down
    }
}
