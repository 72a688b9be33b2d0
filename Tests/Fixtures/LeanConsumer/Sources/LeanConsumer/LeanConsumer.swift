import StorageCore

/// A program that embeds StorageCore and nothing else of the package.
@main
enum LeanConsumer {
    static func main() {
        print("StorageCore is linked")
    }
}
