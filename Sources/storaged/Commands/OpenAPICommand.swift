import ArgumentParser
import StorageHTTP

/// `storaged openapi`: the document of the API, for generators and linters.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the OpenAPI document that the daemon serves at /openapi.json.")

    func run() throws {
        try StandardOutput.write(String(decoding: OpenAPIDocument.bytes, as: UTF8.self))
    }
}
