/// The daemon and its commands.
@main
enum Storaged {
    static let version = "0.1.0"

    static func main() async {
        do {
            try await RootCommand.run(try CommandArguments.read().dropFirst())
        } catch {
            ExitStatus.exit(for: error)
        }
    }
}
