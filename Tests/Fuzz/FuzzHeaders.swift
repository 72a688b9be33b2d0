/// Hands one input to every header parser; what is accepted must come back from its own form.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    credentials(text)
    ranges(text)
    conditions(text)
    names(bytes, text)
    digests(text)
    proxies(bytes, text)
    codings(text)
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

private func digests(_ text: String) {
    if let claims = try? DigestClaims(representation: [text], content: [text], md5: []) {
        precondition(claims.sha256.allSatisfy { $0.count == 32 } && claims.sha256.count % 2 == 0)
    }
    if let claims = try? DigestClaims(representation: [], content: [], md5: [text]) {
        precondition(claims.md5?.count == 16)
    }
    _ = DigestClaims.wantsSHA256([text])
    // Two lines are one with a comma between them.
    precondition(StructuredDictionary([text, text]) == StructuredDictionary([text + ", " + text]))
}

private func codings(_ text: String) {
    // Both together are no longer than what is read.
    guard text.utf8.count < AcceptEncoding.maximumBytes / 2 - 1 else { return }
    // Two lines are one with a comma between them.
    precondition(AcceptEncoding.welcomesGzip([text, text]) == AcceptEncoding.welcomesGzip([text + ", " + text]))
}

private func proxies(_ bytes: [UInt8], _ text: String) {
    if let address = IPAddress(bytes) { precondition(IPAddress(Array(address.description.utf8)) == address) }
    if let network = IPNetwork(text), let base = IPAddress(bytes.prefix { $0 != 0x2F }) {
        precondition(network.contains(base))
    }
    for hop in ForwardedField([text])?.hops ?? [] {
        precondition(hop.host?.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ?? true)
    }
}
