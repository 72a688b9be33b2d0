import StorageSQL
import Testing

extension SQLDatabaseConformance {
    static let batches = [
        SQLDatabaseClause("one failing body among 50 concurrent ones loses only itself") { database in
            try await database.makeItems()
            for round in 0..<5 as Range<Int64> {
                let failures = try await withThrowingTaskGroup(of: Refusal?.self) { group in
                    for number in 1...50 as ClosedRange<Int64> {
                        group.addTask {
                            try await thrown(Refusal.self) {
                                try await database.write(.durable) { session in
                                    try session.insert(round * 100 + number)
                                    if number == 17 { throw Refusal(number: number) }
                                }
                            }
                        }
                    }
                    return try await group.reduce(into: [Refusal]()) { failures, failure in
                        if let failure { failures.append(failure) }
                    }
                }
                let ids = try await database.ids().filter { $0 / 100 == round }
                #expect(failures == [Refusal(number: 17)])
                #expect(ids == (1...50).filter { $0 != 17 }.map { round * 100 + $0 })
            }
        },
        SQLDatabaseClause("a violated constraint among concurrent bodies loses only its body") { database in
            try await database.makeItems()
            try await database.write(.durable) { try $0.insert(17) }
            let failures = try await withThrowingTaskGroup(of: SQLError?.self) { group in
                for number in 1...50 as ClosedRange<Int64> {
                    group.addTask {
                        try await thrown(SQLError.self) {
                            try await database.write(.durable) { session in
                                try session.insert(1000 + number)
                                try session.insert(number)
                            }
                        }
                    }
                }
                return try await group.reduce(into: [SQLError]()) { failures, failure in
                    if let failure { failures.append(failure) }
                }
            }
            let ids = try await database.ids()
            #expect(failures.map(\.kind) == [.uniqueViolation])
            #expect(ids == Array(1...50) + (1...50).filter { $0 != 17 }.map { 1000 + $0 })
        },
        SQLDatabaseClause("1,000 increments from 32 tasks are 1,000") { database in
            try await database.makeItems()
            try await database.write(.durable) { session in
                _ = try session.execute("INSERT INTO items (id, number) VALUES (1, 0)", [])
            }
            let started = Counter()
            let seen = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for task in 0..<32 {
                    group.addTask {
                        var seen: [Int64] = []
                        while started.increment() <= 1000 {
                            seen.append(
                                try await database.write(task % 3 == 0 ? .relaxed : .durable) { session in
                                    let before = try session.first(
                                        "SELECT number FROM items WHERE id = 1\(database.dialect.forUpdate)", [])
                                    let number = try #require(before).integer(0) + 1
                                    try session.execute(
                                        "UPDATE items SET number = $1 WHERE id = 1", [.integer(number)])
                                    return number
                                })
                        }
                        return seen
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let final = try await database.read { try $0.first("SELECT number FROM items", [])?.integer(0) }
            #expect(seen.sorted() == Array(1...1000))
            #expect(final == 1000)
        },
        SQLDatabaseClause("relaxed and durable writes follow each other in any order") { database in
            try await database.makeItems()
            for number in 1...60 as ClosedRange<Int64> {
                try await database.write(number % 3 == 0 ? .durable : .relaxed) { try $0.insert(number) }
                let ids = try await database.ids()
                #expect(ids.count == Int(number))
            }
        },
    ]
}
