@testable import StorageHTTP

/// The error with which a parser refuses something; nil when it takes it.
func refusal<Value>(_ body: () throws -> Value) -> ParseError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? ParseError
    }
}
