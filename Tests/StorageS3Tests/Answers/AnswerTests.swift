import NIOCore
import StorageCore
import Testing

@testable import StorageS3

@Suite("Answers")
struct AnswerTests {
    private static let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private static let namespace = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

    @Test(
        "A list has its objects, and decodes their keys only where it says that they are encoded",
        arguments: [true, false])
    func list(isEncoded: Bool) throws {
        let list = try ListBucketResult(
            parsing: body(
                """
                <ListBucketResult \(Self.namespace)><Name>bucket</Name><Prefix>a%2Fb+</Prefix><MaxKeys>2</MaxKeys>
                <IsTruncated>true</IsTruncated><KeyCount>2</KeyCount>
                <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
                <Contents><Key>store/ab/a+b%2Bc%C3%A4</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
                <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>
                <Owner><ID>1</ID><DisplayName>Key</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>
                <Contents><Key>z</Key><Size>0</Size></Contents>
                <CommonPrefixes><Prefix>photos+1%2F</Prefix></CommonPrefixes>
                \(isEncoded ? "<EncodingType>url</EncodingType>" : "")</ListBucketResult>
                """))
        let names = list.objects.map { String(decoding: $0.key, as: UTF8.self) }
        #expect(names == [isEncoded ? "store/ab/a b+cä" : "store/ab/a+b%2Bc%C3%A4", "z"])
        #expect(list.objects.map(\.size) == [434_234, 0])
        #expect(list.isTruncated)
    }

    @Test("A list of versions has those that hide others as well")
    func versions() throws {
        let list = try ListVersionsResult(
            parsing: body(
                """
                <ListVersionsResult \(Self.namespace)><Name>b</Name><KeyMarker/><VersionIdMarker/><MaxKeys>5</MaxKeys>
                <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>a%2Fb</NextKeyMarker>
                <NextVersionIdMarker>v2</NextVersionIdMarker>
                <DeleteMarker><Key>a%2Fa</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest></DeleteMarker>
                <Version><Key>a%2Fa</Key><VersionId>null</VersionId><IsLatest>false</IsLatest><Size>3</Size></Version>
                </ListVersionsResult>
                """))
        #expect(list.versions.map { String(decoding: $0.key, as: UTF8.self) } == ["a/a", "a/a"])
        #expect(list.versions.map(\.id) == ["v3", "null"])
        #expect(list.isTruncated && list.nextVersionIDMarker == "v2")
        #expect(list.nextKeyMarker == Array("a/b".utf8))
    }

    @Test("Uploads in parts have their names and moments")
    func uploads() throws {
        let begun = try InitiateMultipartUploadResult(
            parsing: body(
                "<InitiateMultipartUploadResult \(Self.namespace)><Bucket>b</Bucket><Key>k</Key>"
                    + "<UploadId>2~XpZ&amp;1</UploadId></InitiateMultipartUploadResult>"))
        #expect(begun.uploadID == "2~XpZ&1")
        let list = try ListMultipartUploadsResult(
            parsing: body(
                """
                <ListMultipartUploadsResult><Bucket>b</Bucket><IsTruncated>false</IsTruncated>
                <EncodingType>url</EncodingType><NextKeyMarker>k%25</NextKeyMarker><NextUploadIdMarker>u2</NextUploadIdMarker>
                <Upload><Key>a%2F1</Key><UploadId>u1</UploadId><Initiator><ID>x</ID></Initiator>
                <Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload>
                <Upload><Key>k</Key><UploadId>u2</UploadId></Upload></ListMultipartUploadsResult>
                """))
        #expect(list.uploads.map(\.id) == ["u1", "u2"])
        #expect(list.uploads.map { String(decoding: $0.key, as: UTF8.self) } == ["a/1", "k"])
        #expect(list.uploads.map(\.initiated?.seconds) == [1_289_422_113, nil])
        #expect(!list.isTruncated && list.nextUploadIDMarker == "u2" && list.nextKeyMarker == Array("k%".utf8))
    }

    @Test("A completion is what it says, behind white space that kept the connection alive too")
    func completion() throws {
        let completed = try CompleteMultipartUploadResult(
            parsing: ByteBuffer(
                string: "   \n " + Self.declaration + " \n<CompleteMultipartUploadResult><Location>x</Location>"
                    + "<ETag>\"3858f62230ac3c915f300c664312c11f-9\"</ETag></CompleteMultipartUploadResult>"))
        #expect(completed.entityTag == "\"3858f62230ac3c915f300c664312c11f-9\"")
    }

    @Test("A deletion has its failures alone")
    func deletion() throws {
        let result = try DeleteResult(
            parsing: body(
                """
                <DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><VersionId>v</VersionId>
                <Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>
                """))
        #expect(result.failures.map { String(decoding: $0.key, as: UTF8.self) } == ["b"])
        #expect(result.failures.first?.versionID == "v" && result.failures.first?.code == "AccessDenied")
        #expect(result.hidden.isEmpty)
        #expect(try DeleteResult(parsing: body("<DeleteResult/>")).failures.isEmpty)
    }

    @Test("A deletion that does not answer for every key, as often as it was asked for, is told")
    func unsaidDeletion() throws {
        let result = try DeleteResult(
            parsing: body(
                """
                <DeleteResult><Deleted><Key>a</Key><VersionId>1</VersionId></Deleted><Deleted><Key>a</Key></Deleted>
                <Error><Key>b</Key><Code>InternalError</Code></Error></DeleteResult>
                """))
        let unsaid = { (keys: [String]) in result.unsaid(of: keys.map { Array($0.utf8) }) }
        #expect(unsaid(["a", "b", "a"]) == 0)
        #expect(unsaid(["a", "a", "a", "b", "c"]) == 2)
        #expect(unsaid([]) == 0)
    }

    @Test("A deletion tells what it only hid; the deletion of a mark hides nothing")
    func hidingDeletion() throws {
        let result = try DeleteResult(
            parsing: body(
                """
                <DeleteResult><Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker>
                <DeleteMarkerVersionId>1</DeleteMarkerVersionId></Deleted><Deleted><Key>b</Key></Deleted>
                <Deleted><Key>c</Key><VersionId>2</VersionId><DeleteMarker>true</DeleteMarker></Deleted></DeleteResult>
                """))
        #expect(result.hidden == [Array("a".utf8)])
    }

    @Test(
        "Whether a bucket keeps versions is told by one word",
        arguments: [
            ("", .off), ("<Status>Enabled</Status>", .enabled),
            ("<Status>Suspended</Status><MfaDelete>Disabled</MfaDelete>", .suspended),
        ] as [(String, VersioningConfiguration.Status)])
    func versioning(content: String, status: VersioningConfiguration.Status) throws {
        let answer = try VersioningConfiguration(
            parsing: body("<VersioningConfiguration>\(content)</VersioningConfiguration>"))
        #expect(answer.status == status)
    }

    @Test("An error is read as itself")
    func error() throws {
        let error = try ErrorAnswer(
            parsing: body(
                """
                <Error><Code>RequestTimeTooSkewed</Code><Message>The difference &amp; so on.</Message><RequestId>4442587F</RequestId>
                <Region>eu-central-1</Region><Endpoint>b.s3.example</Endpoint><ServerTime>2010-11-10T20:48:33Z</ServerTime>
                <Resource>/b/k</Resource><HostId>h</HostId><Details><Code>other</Code></Details></Error>
                """))
        #expect(error.code == "RequestTimeTooSkewed" && error.message == "The difference & so on.")
        #expect(error.requestID == "4442587F" && error.region == "eu-central-1")
        #expect(try ErrorAnswer(parsing: body("<Error/>")) == ErrorAnswer())
    }

    @Test("An error in the place of any answer is thrown, whatever the answer was to be")
    func errorInstead() {
        let text = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
        #expect(throws: ErrorAnswer.self) { try CompleteMultipartUploadResult(parsing: body(text)) }
        #expect(throws: ErrorAnswer.self) { try ListBucketResult(parsing: body(text)) }
        #expect(throws: ErrorAnswer.self) { try DeleteResult(parsing: body(text)) }
    }

    @Test(
        "A list that cannot be relied on is refused",
        arguments: [
            ("<ListBucketResult/>", .missing("IsTruncated")),
            ("<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>", .invalid("IsTruncated")),
            (
                "<ListBucketResult><IsTruncated>false</IsTruncated><Contents/></ListBucketResult>",
                .missing("Contents/Key")
            ),
            ("<ListBucketResult><Contents><Size>-1</Size></Contents></ListBucketResult>", .invalid("Contents/Size")),
            (
                "<ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
                    + "<Contents><Key>%4</Key></Contents></ListBucketResult>", .invalid("Contents/Key")
            ),
            ("<html><body>Login</body></html>", .unexpected(root: "html")), ("", .xml(.incomplete)),
            ("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key>", .xml(.incomplete)),
            ("<!DOCTYPE a><ListBucketResult/>", .xml(.declaration)),
        ] as [(String, AnswerFault)])
    func refuses(text: String, fault: AnswerFault) {
        #expect(throws: fault) { try ListBucketResult(parsing: ByteBuffer(string: text)) }
    }

    @Test("A page of a thousand keys is read as it comes, in pieces")
    func pieces() throws {
        let keys = (0..<1_000).map { "store/ab/\($0)" }
        let text =
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            + keys.map { "<Contents><Key>\($0)</Key><Size>7</Size></Contents>" }.joined() + "</ListBucketResult>"
        var reader = AnswerReader<ListBucketResult>()
        var whole = ByteBuffer(string: text)
        while let piece = whole.readSlice(length: min(1_000, whole.readableBytes)), piece.readableBytes > 0 {
            try reader.read(piece)
        }
        let list = try reader.finish().get()
        #expect(list.objects.map { String(decoding: $0.key, as: UTF8.self) } == keys)
    }

    private func body(_ text: String) -> ByteBuffer { ByteBuffer(string: Self.declaration + text) }
}
