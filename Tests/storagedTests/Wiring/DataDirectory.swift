import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import storaged

/// A data directory of a test's own, which does not exist before a daemon makes it, and the daemons that use it.
final class DataDirectory: Sendable {
    /// The directory; the folder around it is made and removed with this value.
    let path: String
    private let parent: String

    init() throws {
        parent = NSTemporaryDirectory() + "/storaged-wiring-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        path = parent + "/data"
    }

    deinit {
        try? FileManager.default.removeItem(atPath: parent)
    }

    /// The configuration of a daemon in this directory.
    func configuration(_ settings: [String: String] = [:]) throws -> StoragedConfiguration {
        let own = ["data.directory": path, "http.port": "0", "log.level": "critical"]
        return try StoragedConfiguration(settings: own.merging(settings) { $1 })
    }

    /// Serves from the directory until the body ends.
    @discardableResult
    func serve<Value>(
        _ settings: [String: String] = [:], _ body: @Sendable (any TestClientProtocol) async throws -> Value
    ) async throws -> Value {
        let configuration = try configuration(settings)
        return try await withStores(configuration) { stores, authentication in
            try await buildApplication(configuration, stores, authentication).test(.live) { try await body($0) }
        }
    }

    /// Opens the stores as a daemon does, and closes all when the body ends.
    func withStores<Value>(
        _ configuration: StoragedConfiguration,
        _ body: (Stores, BuiltInAuthentication) async throws -> Value
    ) async throws -> Value {
        let stores = try await Stores(configuration)
        let authentication = try configuration.builtInAuthentication(over: stores)
        func close() async {
            await authentication.shutdown()
            await stores.close()
        }
        do {
            let value = try await body(stores, authentication)
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }

    /// Starts and ends a daemon; the code of its refusal, nil when it starts.
    func refusal(_ settings: [String: String] = [:]) async throws -> StorageError.Code? {
        let configuration = try configuration(settings)
        do {
            await (try await Assembly(configuration)).close()
            return nil
        } catch let error as StorageError {
            return error.code
        }
    }

    /// All files, relative to the directory, in order; the database's own left out.
    var files: [String] {
        get throws {
            try FileManager.default.subpathsOfDirectory(atPath: path).filter { name in
                var isFolder: ObjCBool = false
                let exists = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
                return exists && !isFolder.boolValue && !name.hasPrefix("storaged.") && name != "store.id"
            }.sorted()
        }
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }

    func permissions(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
    }

    /// Takes the database away, as a wrong volume would.
    func removeDatabase() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where name.hasPrefix("storaged.sqlite") {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }
}

extension TestClientProtocol {
    /// Sends one request with a container token.
    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ uri: String, token: String? = "2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e",
        _ headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestResponse {
        var headers = headers
        if let token, let name = HTTPField.Name("X-Auth-Token") { headers[name] = token }
        return try await executeRequest(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
}
