/// The members of a JSON object in the order they were sent; names are unique, compared byte for byte.
struct JSONObject: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        let name: String
        let value: JSONValue

        static func == (left: Member, right: Member) -> Bool {
            left.name.utf8.elementsEqual(right.name.utf8) && left.value == right.value
        }
    }

    let members: [Member]

    /// The value of a member; nil when it was not sent.
    subscript(_ name: String) -> JSONValue? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// The text of a member; nil when it is missing or null, an error when it is something else.
    func string(_ name: String) throws(ParseError) -> String? {
        switch self[name] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw ParseError(.invalidField, "'\(name)' must be a string.")
        }
    }

    /// The truth value of a member; nil when it is missing or null, an error when it is something else.
    func bool(_ name: String) throws(ParseError) -> Bool? {
        switch self[name] {
        case nil, .null: return nil
        case .bool(let value): return value
        default: throw ParseError(.invalidField, "'\(name)' must be true or false.")
        }
    }

    /// The whole number of a member; nil when it is missing or null, an error when it is something else.
    func integer(_ name: String) throws(ParseError) -> Int64? {
        switch self[name] {
        case nil, .null: return nil
        case .integer(let value): return value
        default: throw ParseError(.invalidField, "'\(name)' must be a whole number.")
        }
    }

    /// The members of a member that is an object; nil when it is missing or null, an error when it is something else.
    func object(_ name: String) throws(ParseError) -> JSONObject? {
        switch self[name] {
        case nil, .null: return nil
        case .object(let value): return value
        default: throw ParseError(.invalidField, "'\(name)' must be an object.")
        }
    }
}
