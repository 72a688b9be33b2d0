import StorageSQL

/// What is sent as one statement: a query, lookups of one sort, or what all want to know.
struct LaneQuestion {
    /// Those who asked; may be nobody for the version.
    let queries: [PendingQuery]
    let sql: String
    let parameters: PostgresParameters

    /// Whether it is the one for the version of the database.
    var isVersion: Bool { sql == SQLVersion.postgres }

    private static let lookup = SQLLookup.fileByPath
    /// How many keys one statement may have: as many different ones are compiled.
    private static let sizes = [2, 4, 8, 16, 32]
    private static let texts = Dictionary(uniqueKeysWithValues: sizes.map { ($0, lookup.several($0)) })

    private init(_ query: PendingQuery) {
        (queries, sql, parameters) = ([query], query.sql, query.parameters)
    }

    private init(version queries: [PendingQuery]) {
        (self.queries, sql, parameters) = (queries, SQLVersion.postgres, .none)
    }

    private init(_ lookups: [PendingQuery], size: Int, text: String) {
        queries = lookups
        sql = text
        parameters = PostgresParameters(
            lookups.map(\.parameters), nulls: (size - lookups.count) * Self.lookup.width)
    }

    /// The statements for some queries; the one for the version comes first.
    static func merging(_ queries: [PendingQuery], tellingVersion: Bool) -> [LaneQuestion] {
        var questions: [LaneQuestion] = []
        var lookups: ArraySlice<PendingQuery> = []
        var versions: [PendingQuery] = []
        for query in queries {
            switch query.sql {
            case lookup.single: lookups.append(query)
            case SQLVersion.postgres: versions.append(query)
            default: questions.append(LaneQuestion(query))
            }
        }
        if !versions.isEmpty || tellingVersion && queries.contains(where: \.wantsVersion) {
            questions.insert(LaneQuestion(version: versions), at: 0)
        }
        while let first = lookups.first {
            let size = sizes.first { $0 >= lookups.count } ?? sizes[sizes.count - 1]
            if lookups.count > 1, let text = texts[size] {
                questions.append(LaneQuestion(Array(lookups.prefix(size)), size: size, text: text))
                lookups = lookups.dropFirst(size)
            } else {
                questions.append(LaneQuestion(first))
                lookups = lookups.dropFirst()
            }
        }
        return questions
    }

    /// Gives every query its rows.
    ///
    /// - Parameter version: One that the database had before.
    func finish(_ result: PostgresResult, _ version: SQLVersion?) {
        do {
            let rows = try isVersion ? [] : result.rows()
            guard queries.count > 1, !isVersion else {
                return tell(rows, version)
            }
            var shares = [[SQLRow]](repeating: [], count: queries.count)
            for row in rows {
                let place = Int(try row.integer(0))
                guard shares.indices.contains(place) else { throw SQLError(.other, "a row for nobody") }
                shares[place].append(row.dropFirst())
            }
            for (query, share) in zip(queries, shares) {
                query.finish(.success(PendingQuery.Answer(rows: share, version: version)))
            }
        } catch {
            fail(error)
        }
    }

    /// Tells all who asked the same.
    func tell(_ rows: [SQLRow], _ version: SQLVersion?) {
        for query in queries { query.finish(.success(PendingQuery.Answer(rows: rows, version: version))) }
    }

    /// Tells all who asked that it failed.
    func fail(_ error: any Error) {
        for query in queries { query.finish(.failure(error)) }
    }
}
