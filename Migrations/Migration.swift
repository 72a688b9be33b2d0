enum Migrations { static let x = PackageResources.sqlite_0001_initial_up_sql }
