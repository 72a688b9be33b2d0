import StorageCore
import StoragePostgres
import StorageSQL

/// Looks up the records of one account's loaded files, each chosen at random, and prints how many in a second:
///
///     bench-lookups URL LOGIN CLIENTS SECONDS FILES
@main
struct Lookups {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let clients = Int(arguments[3]), let seconds = Int(arguments[4]),
            let files = Int(arguments[5]), clients > 0, seconds > 0, files > 0
        else { return print("usage: bench-lookups URL LOGIN CLIENTS SECONDS FILES") }
        let store = try await SQLMetadataStore.postgres(url: arguments[1])
        guard let account = try await store.account(.login(Login(arguments[2].utf8))) else {
            return print("there is no account \(arguments[2])")
        }
        let container = account.account.container.id
        let end = ContinuousClock.now + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<clients {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        let path = try FilePath(name(of: .random(in: 0..<files)))
                        guard try await store.file(.path(container, path)) != nil else {
                            throw StorageError(.notFound, "\(path) was not loaded.")
                        }
                        count += 1
                    }
                    return count
                }
            }
            var count = 0
            for try await other in group { count += other }
            return count
        }
        try await store.close()
        print(count / seconds)
    }

    /// As `name_of` of `bench.loads` has it.
    private static func name(of number: Int) -> String {
        func padded(_ number: Int, to width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        return "loaded/\(padded(number / 1_000, to: 5))/\(padded(number, to: 8)).txt"
    }
}
