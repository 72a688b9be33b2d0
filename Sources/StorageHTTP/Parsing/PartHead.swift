import StorageCore

/// What stands before the bytes of one part of a form: its headers, read.
struct PartHead: Equatable, Sendable {
    struct Field: Equatable, Sendable {
        /// In lower case.
        let name: [UInt8]
        /// Without blanks at its ends; any bytes but control characters, horizontal tab excepted.
        let value: [UInt8]
    }

    /// The name of the form field.
    let name: [UInt8]
    /// The name of the file as it was sent, nil for a plain field. A browser sends an empty one where no file was chosen.
    let filename: [UInt8]?
    /// The part's own `Content-Type`; nil when there is none or it is malformed.
    let mediaType: MediaType?
    let fields: [Field]

    /// Reads the headers of a part.
    ///
    /// An error: no `Content-Disposition: form-data` with a name, two of them, or a transfer encoding that would change
    /// the bytes; parts are taken as they are (RFC 7578 section 4.7).
    init(fields: [Field]) throws(ParseError) {
        let dispositions = fields.filter { ASCII.equals($0.name, lowercase: "content-disposition") }
        guard dispositions.count == 1, let disposition = ContentDisposition(formData: dispositions[0].value) else {
            throw ParseError(
                .invalidMultipart, "Each part needs one well-formed Content-Disposition: form-data; name=\"…\".")
        }
        for field in fields where ASCII.equals(field.name, lowercase: "content-transfer-encoding") {
            let isIdentity =
                ASCII.equals(field.value, lowercase: "binary") || ASCII.equals(field.value, lowercase: "8bit")
                || ASCII.equals(field.value, lowercase: "7bit")
            guard isIdentity else {
                throw ParseError(
                    .invalidMultipart, "A part has a Content-Transfer-Encoding; send its bytes as they are.")
            }
        }
        name = disposition.name
        filename = disposition.filename
        let type = fields.first { ASCII.equals($0.name, lowercase: "content-type") }
        mediaType = type.flatMap { MediaType(parsing: String(decoding: $0.value, as: UTF8.self)) }
        self.fields = fields
    }

    /// True when the field is called so, byte for byte.
    func isNamed(_ text: String) -> Bool {
        name.elementsEqual(text.utf8)
    }
}
