/// A request to an S3 service without its body: the value that is signed and then sent exactly as it was signed.
struct S3Request: Equatable, Sendable {
    /// The methods that the API of S3 uses.
    enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// A parameter of the query, decoded. `?uploads` and `?uploads=` mean the same.
    struct Parameter: Equatable, Sendable {
        let name: String
        let value: String

        init(_ name: String, _ value: String = "") {
            self.name = name
            self.value = value
        }
    }

    /// A header field; names are compared without regard to case.
    struct Header: Equatable, Sendable {
        let name: String
        let value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    let method: Method
    /// The value of `Host`: the name, and the port unless it is the scheme's own. It is signed, so it must be sent as it is.
    let authority: String
    /// The whole path, decoded, with its first slash. Nothing in it is ever normalised: `//` and `..` are parts of keys.
    let path: [UInt8]
    /// The query in any order.
    var query: [Parameter]
    /// All other headers that are to be sent, `Host` excepted. All of them are signed.
    var headers: [Header]

    init(
        _ method: Method, authority: String, path: some Sequence<UInt8>, query: [Parameter] = [], headers: [Header] = []
    ) {
        self.method = method
        self.authority = authority
        self.path = Array(path)
        self.query = query
        self.headers = headers
    }

    /// Gives the header this value alone.
    mutating func setHeader(_ name: String, _ value: String) {
        headers.removeAll { $0.hasName(name) }
        headers.append(Header(name, value))
    }

    /// What stands behind the authority in the URL: the path and the query, encoded as the signature has them.
    var target: String {
        var target = encodedPath
        if !query.isEmpty {
            target.append(UInt8(ascii: "?"))
            appendCanonicalQuery(to: &target)
        }
        return String(decoding: target, as: UTF8.self)
    }

    /// The path, encoded once, as S3 wants it; other services would want it normalised and encoded twice.
    var encodedPath: [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(path.count + 16)
        PercentEncoding.append(path, to: &encoded, keepsSlashes: true)
        return encoded
    }

    /// Appends the query, encoded and ordered by encoded names and values.
    func appendCanonicalQuery(to text: inout [UInt8]) {
        let pairs = query.map { parameter in
            (PercentEncoding.encode(parameter.name.utf8), PercentEncoding.encode(parameter.value.utf8))
        }
        .sorted { one, other in
            one.0 == other.0
                ? one.1.lexicographicallyPrecedes(other.1) : one.0.lexicographicallyPrecedes(other.0)
        }
        for (index, pair) in pairs.enumerated() {
            if index > 0 { text.append(UInt8(ascii: "&")) }
            text += pair.0
            text.append(UInt8(ascii: "="))
            text += pair.1
        }
    }
}

extension S3Request.Header {
    /// The name in lower case, as it is signed.
    var canonicalName: [UInt8] { name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 } }

    fileprivate func hasName(_ other: String) -> Bool {
        name.utf8.count == other.utf8.count && canonicalName == Self(other, "").canonicalName
    }
}
