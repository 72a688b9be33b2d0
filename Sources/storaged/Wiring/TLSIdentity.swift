import NIOSSL

/// The certificate and the key that the daemon shows to its clients, read and known to belong together.
struct TLSIdentity {
    /// TLS 1.2 or later, HTTP/1.1 inside.
    let configuration: TLSConfiguration

    /// Reads the files that the configuration names; nil where it names none.
    ///
    /// Only reads: a wrong file is found before anything was touched.
    init?(_ configuration: StoragedConfiguration) throws(ConfigurationError) {
        guard let files = configuration.http.tls else { return nil }
        let certificate = PEMFile(Keys.httpTLSCertificate.name, files.certificate, configuration)
        let key = PEMFile(Keys.httpTLSKey.name, files.key, configuration)
        let chain = try certificate.read(as: "certificate") { try NIOSSLCertificate.fromPEMBytes($0) }
        guard !chain.isEmpty else { throw certificate.refused("holds no certificate") }
        let privateKey = try key.read(as: "private key without a passphrase") {
            try NIOSSLPrivateKey(bytes: $0, format: .pem)
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        do {
            _ = try NIOSSLContext(configuration: tls)
        } catch {
            throw key.refused("is not the key of the first certificate in \(files.certificate.quotedForDisplay)")
        }
        self.configuration = tls
    }
}

/// A file of PEM that a setting names.
private struct PEMFile {
    private let setting: String
    private let path: String
    private let origin: String

    init(_ name: String, _ path: String, _ configuration: StoragedConfiguration) {
        setting = name
        self.path = path
        origin = configuration.provenance.value(named: name).map { " (\($0.origin))" } ?? ""
    }

    func read<Value>(as what: String, _ parse: ([UInt8]) throws -> Value) throws(ConfigurationError) -> Value {
        let bytes: [UInt8]?
        do throws(SettingsFile.Failure) {
            bytes = try SettingsFile.read(path)
        } catch {
            throw refused("cannot be read (\(error.reason))")
        }
        guard let bytes else { throw refused("is not there") }
        do {
            return try parse(bytes)
        } catch {
            throw refused("holds no \(what)")
        }
    }

    func refused(_ reason: String) -> ConfigurationError {
        let problem =
            "\(setting): \(path.quotedForDisplay)\(origin) \(reason);"
            + " give the PEM files of a certificate and of its own private key"
        return ConfigurationError(problems: [ConfigurationProblem(problem)])
    }
}
