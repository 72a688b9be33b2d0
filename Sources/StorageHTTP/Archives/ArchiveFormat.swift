/// The archives that a file or folder can be downloaded as; the raw values are the contract's and end the archives' names.
enum ArchiveFormat: String, CaseIterable, Sendable {
    case zip
    case tar
    case sevenZip = "7z"

    var mediaType: String {
        switch self {
        case .zip: "application/zip"
        case .tar: "application/x-tar"
        case .sevenZip: "application/x-7z-compressed"
        }
    }
}

extension ArchiveFormat {
    /// Makes a whole archive while it is sent.
    ///
    /// - Throws: `corrupt` where the bytes of a file are damaged: what was sent is not a whole archive then.
    @concurrent func write(_ source: ArchiveSource, to output: inout ArchiveOutput) async throws {
        switch self {
        case .zip:
            var zip = ZipStream(source)
            try await zip.write(to: &output)
        case .tar: try await TarStream(source).write(to: &output)
        case .sevenZip: try await SevenZipStream(source).write(to: &output)
        }
        try await output.flush()
    }
}
