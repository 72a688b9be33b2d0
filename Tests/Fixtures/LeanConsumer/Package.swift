// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "LeanConsumer",
    dependencies: [.package(name: "storaged", path: "../../..")],
    targets: [
        .executableTarget(name: "LeanConsumer", dependencies: [.product(name: "StorageCore", package: "storaged")])
    ]
)
