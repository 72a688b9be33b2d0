import Testing

@testable import StorageHTTP

@Suite("Accept-Encoding")
struct AcceptEncodingTests {
    @Test(
        "welcomes gzip where it is named or meant, and not weaker than the content as it is",
        arguments: [
            (["gzip"], true), (["GZIP"], true), (["x-gzip"], true), (["gzip, deflate, br"], true),
            (["br", "gzip"], true),
            (["gzip;q=1"], true), (["gzip;q=0.001"], true), (["gzip; q=0.5 , identity;q=0.5"], true),
            (["gzip ;Q=1.000"], true), (["*"], true), (["*;q=0.1"], true), (["identity;q=0.4, *;q=0.5"], true),
            (["gzip;q=0, x-gzip"], true), ([" gzip"], true), ([",gzip,"], true), (["br;q=x, gzip"], true),
            ([], false), ([""], false), ([","], false), (["br"], false), (["identity"], false), (["gzip;q=0"], false),
            (["gzip;q=0.000"], false), (["*, gzip;q=0"], false), (["gzip;q=0.4, identity;q=0.5"], false),
            (["*;q=0"], false), (["gzipped"], false), (["gzip;q=2"], false), (["gzip;q=1.001"], false),
            (["gzip;q=0.0001"], false), (["gzip;q="], false), (["gzip;q=-1"], false), (["gzip;level=1"], false),
            (["gzip q=1"], false), (["\u{0}"], false), ([String(repeating: "gzip,", count: 300)], false),
        ] as [([String], Bool)])
    func gzip(values: [String], isWelcome: Bool) {
        #expect(AcceptEncoding.welcomesGzip(values) == isWelcome, "\(values)")
    }
}
