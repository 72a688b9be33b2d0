import StorageCore

extension SQLValue {
    static func id<Entity>(_ id: Identifier<Entity>) -> SQLValue { .bytes(id.bytes) }

    static func optionalID<Entity>(_ id: Identifier<Entity>?) -> SQLValue { id.map(SQLValue.id) ?? .null }

    static func path(_ path: FilePath) -> SQLValue { .bytes(path.bytes) }

    static func optionalText(_ text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }

    static func optionalInteger(_ number: Int64?) -> SQLValue { number.map(SQLValue.integer) ?? .null }

    static func optionalTime(_ time: Timestamp?) -> SQLValue { time.map { .integer($0.microseconds) } ?? .null }
}

extension SQLRow {
    func id<Entity>(_ column: Int, of _: Entity.Type = Entity.self) throws -> Identifier<Entity> {
        guard let id = Identifier<Entity>(bytes: try bytes(column)) else { throw damaged(column) }
        return id
    }

    func time(_ column: Int) throws -> Timestamp {
        Timestamp(microseconds: try integer(column))
    }

    func optionalTime(_ column: Int) throws -> Timestamp? {
        try optionalInteger(column).map(Timestamp.init(microseconds:))
    }

    func word<Word: RawRepresentable>(_ column: Int, of _: Word.Type = Word.self) throws -> Word
    where Word.RawValue == String {
        guard let word = Word(rawValue: try text(column)) else { throw damaged(column) }
        return word
    }

    /// Three columns: space, hash and generation.
    func blobKey(_ column: Int) throws -> BlobKey {
        guard let digest = BlobDigest(bytes: try bytes(column + 1)) else { throw damaged(column + 1) }
        return BlobKey(
            space: Space(id: try id(column)), digest: digest, generation: try integer(column + 2))
    }

    private func damaged(_ column: Int) -> SQLError {
        SQLError(.damaged, "column \(column) holds no value of the domain")
    }
}
