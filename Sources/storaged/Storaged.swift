/// The daemon and its commands.
@main
enum Storaged {
    static func main() async {
        do {
            try await RootCommand.run(try CommandArguments.read().dropFirst())
        } catch {
            ExitStatus.exit(for: error)
        }
    }
}
