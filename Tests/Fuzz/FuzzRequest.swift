/// Hands one input to the parsers of targets, forms and JSON bodies.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    _ = try? JSONBody.parse(bytes)
    if let form = try? FormURLEncoded(parsing: bytes, from: .body) {
        let pairs = form.pairs.map {
            PercentEncoding.encodeComponent($0.name) + "=" + PercentEncoding.encodeComponent($0.value)
        }
        let encoded = Array(pairs.joined(separator: "&").utf8)
        if encoded.count <= FormURLEncoded.maximumBodyBytes {
            precondition((try? FormURLEncoded(parsing: encoded, from: .body)) == form)
        }
    }
    if let target = try? RequestTarget(parsing: String(decoding: bytes, as: UTF8.self)) {
        _ = try? target.segments()
        _ = try? target.rest(afterSegments: 2)
        _ = try? target.parameters()
    }
    return 0
}
