import NIOCore
import Testing

@testable import StorageS3

@Suite("XML writer")
struct XMLWriterTests {
    @Test("names the parts of an upload in order, with their tags as they came")
    func completion() {
        let body = XMLWriter.completion(of: [(number: 1, entityTag: "\"a&b\""), (number: 2, entityTag: "c")])
        #expect(
            String(buffer: body) == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                + "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                + "<Part><PartNumber>1</PartNumber><ETag>&quot;a&amp;b&quot;</ETag></Part>"
                + "<Part><PartNumber>2</PartNumber><ETag>c</ETag></Part></CompleteMultipartUpload>")
    }

    @Test("names what is to be deleted, versions too, and asks what became of each")
    func removal() {
        let body = XMLWriter.removal(of: [
            (key: Array("a<b>\r\u{1}ä".utf8), versionID: nil), (key: Array("c".utf8), versionID: "v1"),
        ])
        #expect(
            String(buffer: body) == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                + "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>false</Quiet>"
                + "<Object><Key>a&lt;b&gt;&#13;&#1;ä</Key></Object>"
                + "<Object><Key>c</Key><VersionId>v1</VersionId></Object></Delete>")
    }
}
