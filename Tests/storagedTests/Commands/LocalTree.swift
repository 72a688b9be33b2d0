import Foundation
import Testing

/// A local folder of a test's own.
final class LocalTree: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/storaged-tree-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Makes a file and the folders above it.
    func write(_ text: String, to name: String) throws {
        if let slash = name.lastIndex(of: "/") { try folder(String(name[..<slash])) }
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    }

    func folder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
    }

    /// Makes a file whose name is bytes and no text.
    func write(toName name: [UInt8]) throws {
        let bytes = Array("\(path)/".utf8) + name + [0]
        let descriptor = open(bytes.map { CChar(bitPattern: $0) }, O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0)
        close(descriptor)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    func pipe(_ name: String) throws {
        try #require(mkfifo("\(path)/\(name)", 0o600) == 0)
    }
}
