public import StorageCore
public import Testing

/// Makes the same random changes in a metadata store and in a model of it, and compares every answer.
///
/// What the conformance kit states clause by clause, this looks for in the combinations that nobody thought of. Answers are compared
/// down to the codes of errors; identifiers and moments, which each store makes itself, by what they name and by whether they changed.
///
/// A store joins with one parameterised test:
///
/// ```swift
/// @Test(arguments: [1, 2, 3] as [UInt64])
/// func agrees(seed: UInt64) async throws {
///     try await MetadataStoreModelCheck(seed: seed, operations: 1_000).run { body in
///         let store = try await openNewStore()
///         try await body(store)
///         try await store.close()
///     }
/// }
/// ```
///
/// A difference is reported as a list of operations that is as short as could be found in short time, with the seed that made it.
public struct MetadataStoreModelCheck: Sendable {
    /// Opens a store that is new and empty, calls the body with it once, and closes it.
    public typealias WithStore = (_ body: (any MetadataStore) async throws -> Void) async throws -> Void

    /// Makes the operations: the same for the same seed.
    public let seed: UInt64
    /// How many operations are made.
    public let operations: Int

    /// Describes a check.
    public init(seed: UInt64, operations: Int) {
        self.seed = seed
        self.operations = operations
    }

    /// Compares a store with a model, which is ``/StorageCore/InMemoryMetadataStore`` unless another one is given.
    ///
    /// Records an issue at the first difference.
    public func run(
        sourceLocation: SourceLocation = #_sourceLocation,
        model: @escaping WithStore = { try await $0(InMemoryMetadataStore()) }, store: @escaping WithStore
    ) async throws {
        var random = SeededGenerator(seed: seed)
        let all = ModelOperation.opening + (0..<operations).map { _ in ModelOperation.random(&random) }
        guard let first = try await difference(all, model, store) else { return }
        var found = first
        try await shrink(&found, model, store)
        Issue.record(
            Comment(rawValue: account(of: found, from: first.operations.count)), sourceLocation: sourceLocation)
    }

    /// The first operation that the stores answer differently, with those before it.
    private struct Difference {
        let operations: [ModelOperation]
        let expected: String
        let actual: String
    }

    private func difference(
        _ operations: [ModelOperation], _ model: @escaping WithStore, _ store: @escaping WithStore
    ) async throws -> Difference? {
        var difference: Difference?
        try await model { model in
            try await store { store in
                var expecting = try await ModelSubject(model)
                var acting = try await ModelSubject(store)
                for (index, operation) in operations.enumerated() {
                    let expected = try await expecting.answer(to: operation)
                    let actual = try await acting.answer(to: operation)
                    guard expected != actual else { continue }
                    difference = Difference(
                        operations: Array(operations[...index]), expected: expected, actual: actual)
                    return
                }
            }
        }
        return difference
    }

    /// Leaves out what the difference does not need: halves of the operations first, single ones in the end.
    private func shrink(_ found: inout Difference, _ model: @escaping WithStore, _ store: @escaping WithStore)
        async throws
    {
        var attempts = 0
        var chunk = found.operations.count / 2
        while chunk > 0, attempts < Self.largestEffort {
            var start = 0
            var hasShrunk = false
            while start < found.operations.count, attempts < Self.largestEffort {
                var fewer = found.operations
                fewer.removeSubrange(start..<min(start + chunk, fewer.count))
                attempts += 1
                if let smaller = try await difference(fewer, model, store) {
                    found = smaller
                    hasShrunk = true
                } else {
                    start += chunk
                }
            }
            if chunk > 1 || !hasShrunk { chunk /= 2 }
        }
    }

    private static let largestEffort = 400

    private func account(of found: Difference, from count: Int) -> String {
        let lines = found.operations.enumerated().map { "\($0 + 1). \($1)" }
        return """
            Seed \(seed): after \(count) operations the store does not answer as the model does. Of them these are enough:
            \(lines.joined(separator: "\n"))
            The model: \(Self.lines(of: found.expected, notIn: found.actual))
            The store: \(Self.lines(of: found.actual, notIn: found.expected))
            """
    }

    /// What is said in one answer and not in the other.
    private static func lines(of answer: String, notIn other: String) -> String {
        let known = Set(other.split(separator: "\n"))
        let own = answer.split(separator: "\n").filter { !known.contains($0) }
        return own.isEmpty ? answer : own.joined(separator: "\n")
    }
}
