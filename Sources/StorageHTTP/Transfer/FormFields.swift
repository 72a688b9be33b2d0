import NIOCore
import StorageCore

/// The small named values of a request, sent as JSON, urlencoded or multipart.
struct FormFields {
    private enum Source {
        case json(JSONObject)
        case urlEncoded(FormURLEncoded)
        case parts([(name: [UInt8], value: [UInt8])])
    }

    private let source: Source

    /// Reads the whole body of a request.
    ///
    /// - Throws: 400 for a malformed body, 413 beyond 16 KiB.
    init(_ call: Call) async throws {
        switch try call.content() {
        case .form(let form):
            source = .parts(try await Self.parts(form))
        case .urlEncoded:
            source = .urlEncoded(try FormURLEncoded(parsing: try await call.smallBody(), from: .body))
        case .json, .raw:
            source = .json(try JSONBody.parse(try await call.smallBody()))
        }
    }

    private static func parts(_ form: MultipartReader) async throws -> [(name: [UInt8], value: [UInt8])] {
        var parts: [(name: [UInt8], value: [UInt8])] = []
        var rest = FormURLEncoded.maximumBodyBytes
        while let part = try await form.nextPart() {
            let value = try await form.field(part, upTo: rest)
            rest -= value.count
            parts.append((part.name, value))
        }
        return parts
    }

    /// The bytes of the first of these fields that was sent.
    func bytes(_ names: String...) throws -> [UInt8]? {
        for name in names {
            switch source {
            case .json(let object):
                if let text = try object.string(name) { return Array(text.utf8) }
            case .urlEncoded(let form):
                if let value = try form.value(name) { return value }
            case .parts(let parts):
                if let part = parts.first(where: { $0.name.elementsEqual(name.utf8) }) { return part.value }
            }
        }
        return nil
    }

    /// The bytes of a field that must be there.
    ///
    /// - Throws: 422 that names the field.
    func required(_ name: String, or others: String...) throws -> [UInt8] {
        for name in [name] + others {
            if let value = try bytes(name) { return value }
        }
        throw StorageError(.unprocessable, "\(name): is missing.")
    }

    /// A text; nil when it is not there.
    ///
    /// - Throws: 422 for what is not UTF-8.
    func text(_ name: String) throws -> String? {
        guard let value = try bytes(name) else { return nil }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw StorageError(.unprocessable, "\(name): must be UTF-8.")
        }
        return text
    }

    /// A whole number; nil when it is not there.
    ///
    /// - Parameter malformed: What a value of a form is refused with that is none.
    func integer(_ name: String, malformed: Problem) throws -> Int64? {
        if case .json(let object) = source { return try object.integer(name) }
        guard let value = try bytes(name) else { return nil }
        guard let number = DecimalNumber.parse(value) else { throw malformed }
        return number
    }

    /// A yes or no; no when it is not there.
    func flag(_ name: String) throws -> Bool {
        if case .json(let object) = source { return try object.bool(name) ?? false }
        guard let value = try bytes(name) else { return false }
        if value.elementsEqual("true".utf8) || value.elementsEqual("1".utf8) { return true }
        if value.elementsEqual("false".utf8) || value.elementsEqual("0".utf8) { return false }
        throw StorageError(.unprocessable, "\(name): must be true or false.")
    }
}
