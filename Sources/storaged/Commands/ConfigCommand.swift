import ArgumentParser

/// `storaged config`: what is in force, and where each value came from.
struct ConfigCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Print every setting, its value in force and its source; secrets redacted.",
        discussion: SettingsHelp.text)

    func run(_ configuration: StoragedConfiguration) async throws {
        print(configuration.provenance)
        for notice in configuration.notices {
            print("# \(notice)")
        }
    }
}
