/// Reads a body whole and cut in pieces and compares: however it is cut, the parts or the refusal must be the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let body = Array(input.dropFirst())
    let whole = read(body, pieceSize: max(body.count, 1))
    let cut = read(body, pieceSize: Int(first % 13) + 1)
    precondition(whole == cut)
    return 0
}

/// Heads and bodies in one flat text of bytes; nil for a refusal.
private func read(_ body: [UInt8], pieceSize: Int) -> [UInt8]? {
    guard let boundary = try? MultipartBoundary(bytes: [0x62]) else { return nil }
    var scanner = MultipartScanner(boundary: boundary)
    var seen: [UInt8] = []
    for offset in stride(from: 0, to: body.count, by: pieceSize) {
        let piece = Array(body[offset..<min(offset + pieceSize, body.count)])
        guard piece.withUnsafeBytes({ drain(&scanner, $0, &seen) }) else { return nil }
    }
    guard (try? scanner.finish()) != nil else { return nil }
    guard drain(&scanner, UnsafeRawBufferPointer(start: nil, count: 0), &seen) else { return nil }
    precondition(scanner.isComplete)
    return seen
}

/// Takes all steps over one piece; false for a refusal.
private func drain(_ scanner: inout MultipartScanner, _ bytes: UnsafeRawBufferPointer, _ seen: inout [UInt8]) -> Bool {
    var position = 0
    while true {
        guard let step = try? scanner.step(bytes, &position) else { return false }
        if note(step, bytes, &seen) == false { break }
    }
    precondition(position == bytes.count)
    return true
}

private func note(_ step: MultipartScanner.Step, _ bytes: UnsafeRawBufferPointer, _ seen: inout [UInt8]) -> Bool {
    switch step {
    case .needsBytes: return false
    case .partBegin(let head): seen += [1] + head.name + [2] + (head.filename ?? [3])
    case .body(let range): seen += bytes[range]
    case .heldBody(let held): seen += held
    case .partEnd: seen.append(4)
    case .end: seen.append(5)
    }
    return true
}
