import Foundation
import NIOSSL
import StorageCore
import Testing

@testable import StorageS3

@Suite("TLS that does not come about")
struct TransportSecurityTests {
    /// Tries to open a store at that port.
    private func failure(ofOpening port: Int, _ change: (inout S3Configuration) -> Void = { _ in }) async
        -> StorageError?
    {
        var configuration = S3Configuration(
            endpoint: "https://127.0.0.1:\(port)", bucket: "bucket",
            credentials: S3Credentials(accessKey: "key", secretKey: "secret"))
        change(&configuration)
        do {
            _ = try await S3Place(configuration).open()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    /// A certificate for `127.0.0.1` that nobody else has signed.
    private func selfSigned() throws -> NIOSSLContext {
        let directory = try TemporaryDirectory()
        let files = ["key", "certificate"].map { "\(directory.path)/\($0).pem" }
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files[0], "-out", files[1],
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(files[1]).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: files[0], format: .pem))))
    }

    @Test("a certificate that nobody vouches for ends a start at once, and says what would be right")
    func untrusted() async throws {
        let server = try await ScriptedServer(tls: try selfSigned()) { _ in ScriptedAnswer() }
        let error = await failure(ofOpening: server.port)
        #expect(error?.code == .wrongStore)
        #expect(error?.isTransient == false)
        #expect(error?.message.contains("certificate of 127.0.0.1:\(server.port) is not trusted") == true)
        #expect(error.flatMap { S3Configuration.Problem.Field(refusedBy: $0) } == .endpoint)
        let cause = error?.cause.map { "\($0)" }
        #expect(cause == "TLS with 127.0.0.1:\(server.port): CERTIFICATE_VERIFY_FAILED")
    }

    @Test("a server without TLS ends a start at once, and says what would be right")
    func plain() async throws {
        let server = try await ScriptedServer { _ in ScriptedAnswer() }
        let error = await failure(ofOpening: server.port)
        #expect(error?.code == .wrongStore)
        #expect(error?.message.contains("does not speak TLS") == true)
    }

    @Test("a store that is in use waits for its certificate to be renewed")
    func inUse() async throws {
        let server = try await ScriptedServer(tls: try selfSigned()) { _ in ScriptedAnswer() }
        let client = try S3Client(
            S3Configuration(
                endpoint: "https://127.0.0.1:\(server.port)", bucket: "bucket",
                credentials: S3Credentials(accessKey: "key", secretKey: "secret")))
        let error = await #expect(throws: StorageError.self) { _ = try await client.send("HeadBucket", .head) }
        #expect(error?.code == .unavailable)
        #expect(error?.isTransient == true)
    }

    @Test("a certificate for other names is told from one that is not trusted", arguments: [true, false])
    func otherName(isBucketsHost: Bool) {
        let distrust = S3Distrust(
            NIOSSLExtraError.failedToValidateHostname, authority: "files.example.org", isBucketsHost: isBucketsHost)
        #expect(distrust?.complaint?.contains("is for other names") == true)
        #expect(distrust?.complaint?.contains("s3.path-style=true") == isBucketsHost)
    }

    @Test("a host of the bucket's own that cannot be resolved is waited for, and path style is proposed")
    func unresolved() async {
        let error = await failure(ofOpening: 1) {
            $0.endpoint = "http://nowhere.invalid"
            $0.usesPathStyle = false
            $0.connectTimeout = .seconds(30)
            $0.retryPolicy.maximumAttempts = 1
        }
        #expect(error?.isTransient == true)
        let cause = error?.cause.map { "\($0)" }
        #expect(cause?.contains("bucket.nowhere.invalid cannot be resolved") == true)
        #expect(cause?.contains("s3.path-style=true") == true)
    }
}
