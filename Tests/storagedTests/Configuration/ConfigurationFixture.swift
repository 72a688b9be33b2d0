import Foundation

@testable import storaged

/// A working directory of its own, and the four sources around it.
final class ConfigurationFixture {
    let directory: String
    var arguments: [String] = []
    var environment: [String: String] = [:]

    init() throws {
        directory = NSTemporaryDirectory() + "/storaged-configuration-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: directory + "/" + name, atomically: false, encoding: .utf8)
    }

    /// Gives the sources what a wrong configuration says.
    func become(_ wrong: WrongConfiguration) throws {
        arguments = wrong.arguments
        environment = wrong.environment
        if let text = wrong.dotEnv { try write(text, to: ".env") }
        if let text = wrong.yaml {
            try write(text, to: "config.yaml")
            environment["CONFIG_PATH"] = "config.yaml"
        }
    }

    /// Every name in the directory with the time of its last change.
    func state() throws -> [String: Date?] {
        let manager = FileManager.default
        var state: [String: Date?] = [:]
        for name in [""] + (try manager.subpathsOfDirectory(atPath: directory)) {
            state[name] = try manager.attributesOfItem(atPath: directory + "/" + name)[.modificationDate] as? Date
        }
        return state
    }

    func load(table: ConfigurationTable = .storaged, isTerminal: Bool = false) throws(ConfigurationError)
        -> StoragedConfiguration
    {
        try loader(table: table, isTerminal: isTerminal).load()
    }

    func loader(table: ConfigurationTable = .storaged, isTerminal: Bool = false) -> ConfigurationLoader {
        ConfigurationLoader(
            table: table, commandLine: CommandLineSplit(arguments, table: table), environment: environment,
            directory: directory, isTerminal: isTerminal)
    }

    /// What is wrong with the configuration; empty when it loads.
    func problems() -> [String] {
        do {
            _ = try load()
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
