// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: Swift 6 mode, explicit existentials and imports, and no warning left standing.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
    static let hummingbirdTLS = product(name: "HummingbirdTLS", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioFileSystem = product(name: "_NIOFileSystem", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioHTTPTypesHTTP1 = product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
}

let package = Package(
    name: "storaged",
    products: [
        .library(name: "StorageMigrations", targets: ["StorageMigrations"]),
        .library(name: "StorageCore", targets: ["StorageCore"]),
        .library(name: "StorageSQL", targets: ["StorageSQL"]),
        .library(name: "StorageSQLite", targets: ["StorageSQLite"]),
        .library(name: "StoragePostgres", targets: ["StoragePostgres"]),
        .library(name: "StorageS3", targets: ["StorageS3"]),
        .library(name: "StorageRedis", targets: ["StorageRedis"]),
        .library(name: "StorageHTTP", targets: ["StorageHTTP"]),
        .library(name: "StorageTesting", targets: ["StorageTesting"]),
        .executable(name: "storaged", targets: ["storaged"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CLinux"),
        .target(name: "CSwaggerUI"),
        .target(
            name: "StorageMigrations",
            path: "Migrations",
            resources: [.embedInCode("sqlite"), .embedInCode("postgres")],
            swiftSettings: settings
        ),
        .target(
            name: "StorageCore",
            dependencies: ["CLibcrypto", "CLinux", .logging, .metrics, .nioCore, .nioPosix, .serviceLifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "StorageSQL",
            dependencies: ["StorageCore", "StorageMigrations", .logging, .nioCore],
            swiftSettings: settings
        ),
        .target(
            name: "StorageSQLite",
            dependencies: ["StorageSQL", "StorageCore", .grdb, .logging, .nioCore, .nioPosix],
            swiftSettings: settings
        ),
        .target(
            name: "StoragePostgres",
            dependencies: ["CLibpq", "StorageSQL", "StorageMigrations", "StorageCore", .logging, .nioCore, .nioPosix],
            swiftSettings: settings
        ),
        .target(
            name: "StorageS3",
            dependencies: ["StorageCore", .asyncHTTPClient, .logging, .nioCore, .nioHTTP1, .nioPosix, .nioSSL],
            swiftSettings: settings
        ),
        .target(
            name: "StorageRedis",
            dependencies: ["CHiredis", "StorageCore", .logging, .metrics, .nioCore, .nioPosix],
            swiftSettings: settings
        ),
        .target(
            name: "StorageHTTP",
            dependencies: [
                "CZlib", "StorageCore", .hummingbird, .hummingbirdCore, .httpTypes, .nioHTTPTypes, .nioHTTPTypesHTTP1,
                .nioCore, .nioHTTP1, .nioPosix, .logging, .metrics, .serviceLifecycle,
            ],
            resources: [
                .embedInCode("OpenAPI/openapi.json"), .embedInCode("OpenAPI/docs.html"),
                .embedInCode("OpenAPI/swagger.html"), .embedInCode("OpenAPI/start.js"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "StorageTesting",
            dependencies: ["StorageCore", .nioCore],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "storaged",
            dependencies: [
                "StorageCore", "StorageSQL", "StorageSQLite", "StoragePostgres", "StorageS3", "StorageRedis",
                "StorageHTTP", "StorageMigrations", "CSwaggerUI", .argumentParser, .asyncHTTPClient, .configuration,
                .hummingbird, .hummingbirdCore, .hummingbirdTLS, .logging, .metrics,
                .nioCore, .nioHTTP1, .nioPosix, .nioSSL, .serviceLifecycle, .unixSignals, .yams,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "bench-lookups",
            dependencies: ["StorageCore", "StorageSQL", "StoragePostgres"],
            path: "Benchmarks/lookups",
            swiftSettings: settings
        ),
        // The examples are built as another package would be: with the language's defaults, and without package access.
        .executableTarget(
            name: "web-app",
            dependencies: [
                "StorageCore", "StorageSQL", "StorageSQLite", "StorageHTTP", .argumentParser, .hummingbird, .httpTypes,
                .logging, .nioCore, .serviceLifecycle,
            ],
            path: "Examples/WebApp",
            packageAccess: false,
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .executableTarget(
            name: "stash",
            dependencies: ["StorageCore", .argumentParser, .nioCore, .nioFileSystem],
            path: "Examples/Stash",
            packageAccess: false,
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .target(
            name: "MirroredBlobStore",
            dependencies: ["StorageCore"],
            path: "Examples/MirroredBlobStore",
            packageAccess: false,
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .testTarget(
            name: "ExamplesTests",
            dependencies: [
                "MirroredBlobStore", "StorageCore", "StorageSQL", "StorageSQLite", "StorageTesting", "stash", "web-app",
                .hummingbird, .hummingbirdTesting, .httpTypes, .nioCore,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StorageCoreTests",
            dependencies: ["StorageCore", "StorageTesting", .nioCore, .nioPosix, .logging, .metrics],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StorageSQLTests",
            dependencies: [
                "StorageSQLite", "StoragePostgres", "StorageSQL", "StorageMigrations", "StorageCore", "StorageTesting",
                .nioCore, .grdb,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StorageS3Tests",
            dependencies: [
                "StorageS3", "StorageCore", "StorageTesting", .logging, .nioCore, .nioHTTP1, .nioPosix, .nioSSL,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StorageRedisTests",
            dependencies: ["StorageRedis", "StorageCore", "StorageTesting", .nioCore, .nioPosix],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StorageHTTPTests",
            dependencies: [
                "CZlib", "StorageHTTP", "StorageCore", "StorageTesting", .hummingbird, .hummingbirdCore,
                .hummingbirdTesting,
                .httpTypes,
                .nioCore, .nioEmbedded, .nioHTTP1, .nioHTTPTypes, .nioPosix, .logging, .metrics,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "storagedTests",
            dependencies: [
                "storaged", "StorageHTTP", "StorageCore", "StorageSQLite", "StorageTesting", .hummingbird,
                .hummingbirdTesting,
                .httpTypes, .asyncHTTPClient, .nioCore, .logging,
            ],
            swiftSettings: settings
        ),
    ]
)
