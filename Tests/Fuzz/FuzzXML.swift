/// Reads a document whole and cut in pieces and compares: however it is cut, the elements or the refusal must be the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let document = Array(input.dropFirst())
    let whole = read(document, pieceSize: max(document.count, 1))
    let cut = read(document, pieceSize: Int(first % 13) + 1)
    precondition(whole == cut)
    return 0
}

/// Names and texts in one flat text of bytes; nil for a refusal.
private func read(_ document: [UInt8], pieceSize: Int) -> [UInt8]? {
    let limits = XMLScanner.Limits(bytes: 1_024, depth: 4, name: 8, text: 256, markup: 128)
    var scanner = XMLScanner(limits: limits)
    var seen: [UInt8] = []
    for offset in stride(from: 0, to: document.count, by: pieceSize) {
        let piece = Array(document[offset..<min(offset + pieceSize, document.count)])
        guard piece.withUnsafeBytes({ drain(&scanner, $0, &seen) }) else { return nil }
    }
    guard (try? scanner.finish()) != nil else { return nil }
    precondition(String(validating: seen, as: UTF8.self) != nil)
    return seen
}

/// Takes all events of one piece; false for a refusal.
private func drain(_ scanner: inout XMLScanner, _ bytes: UnsafeRawBufferPointer, _ seen: inout [UInt8]) -> Bool {
    var position = 0
    while true {
        guard let event = try? scanner.step(bytes, &position) as XMLScanner.Event?? else { return false }
        switch event {
        case .begin(let name): seen += [1] + Array(name.utf8)
        case .end(_, let text): seen += [2] + text
        case nil:
            precondition(position == bytes.count)
            return true
        }
    }
}
