/// Reads an expression and looks for it in a name, both in one input with a zero byte between them: nobody waits for long, and a group
/// around it, or itself as an alternative, changes nothing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let parts = UnsafeBufferPointer(start: start, count: count).split(
        separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].count <= 256, parts[1].count <= 255,
        let text = String(validating: parts[0], as: UTF8.self), let expression = try? RegularExpression(text)
    else { return 0 }
    let name = Array(parts[1])[...]
    let found = expression.matches([name, name])
    precondition(found[0] == found[1])
    for same in ["(\(text))", "(\(text))|(\(text))"] {
        // It may be too large by now.
        guard let other = try? RegularExpression(same) else { continue }
        precondition(other.matches([name]) == [found[0]])
    }
    return 0
}
