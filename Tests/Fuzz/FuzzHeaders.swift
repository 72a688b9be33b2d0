/// Hands one input to every header parser; what is accepted must come back from its own form.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    credentials(text)
    ranges(text)
    conditions(text)
    names(bytes, text)
    return 0
}

private func credentials(_ text: String) {
    _ = try? AuthorizationHeader.parse(authorization: [text], containerToken: [])
    if case .containerToken(let token) = try? AuthorizationHeader.parse(authorization: [], containerToken: [text]) {
        precondition(token.count == 16 && CanonicalUUID.isOrdinary(token))
    }
}

private func ranges(_ text: String) {
    for size in [0, 1, 100, .max] as [Int64] {
        guard case .ranges(let ranges) = RangeHeader.parse(text, size: size) else { continue }
        var total: Int64 = 0
        for range in ranges {
            precondition(range.lowerBound >= 0 && range.upperBound <= size && range.isEmpty == false)
            total += range.upperBound - range.lowerBound
        }
        precondition(total <= size && ranges.count <= RangeHeader.maximumRanges)
    }
}

private func conditions(_ text: String) {
    _ = try? EntityTagCondition.parse([text])
    _ = IfRange.parse(text, now: 0)
    if let seconds = HTTPDate.parse(text, now: 0) {
        precondition(HTTPDate.parse(HTTPDate.format(seconds), now: 0) == seconds)
    }
}

private func names(_ bytes: [UInt8], _ text: String) {
    if let type = MediaType(parsing: text) { precondition(MediaType(parsing: type.description) == type) }
    _ = ContentDisposition(formData: bytes)
    _ = try? MultipartBoundary(contentType: text)
    _ = FileKind(name: bytes, mediaType: nil)
    precondition(ContentDisposition.attachment(bytes).utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
}
