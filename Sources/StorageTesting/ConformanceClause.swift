public import Testing

/// One thing that every implementation of a protocol must do: a named test case.
///
/// A store joins its kit with one parameterised test:
///
/// ```swift
/// @Test(arguments: BlobStoreConformance.clauses)
/// func holds(_ clause: BlobStoreConformance.Clause) async throws {
///     try await clause.check { InMemoryBlobStore() }
/// }
/// ```
public struct ConformanceClause<Subject>: Sendable, CustomTestStringConvertible {
    /// What must hold, and what goes wrong where it does not.
    public let name: String

    private let body: @Sendable (Subject) async throws -> Void

    /// States what must hold.
    ///
    /// - Parameters:
    ///   - name: What must hold, and what goes wrong where it does not.
    ///   - body: Puts it to the test; reports what does not hold by `#expect`, `#require` or an error.
    public init(_ name: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Tests it on a subject of its own, which must be new and empty.
    public func check(_ makeSubject: () async throws -> Subject) async throws {
        try await body(try await makeSubject())
    }

    /// The sentence, as test reports show it.
    public var testDescription: String { name }
}
