import StorageSQL
import Testing

extension SQLDatabaseConformance {
    static let transactions = [
        SQLDatabaseClause("what a body returns arrives and its changes are there for the next read") { database in
            try await database.makeItems()
            for number in 1...20 as ClosedRange<Int64> {
                let answer = try await database.write(.durable) { session in
                    try session.insert(number)
                    return number * 2
                }
                let ids = try await database.ids()
                #expect(answer == number * 2)
                #expect(ids == Array(1...number))
            }
        },
        SQLDatabaseClause("a body that throws changes nothing and its error passes unchanged") { database in
            try await database.makeItems()
            let error = try await thrown(Refusal.self) {
                try await database.write(.durable) { session in
                    try session.insert(1)
                    try session.insert(2)
                    throw Refusal(number: 7)
                }
            }
            let ids = try await database.ids()
            #expect(error == Refusal(number: 7))
            #expect(ids.isEmpty)
        },
        SQLDatabaseClause("the error of a read passes unchanged and the next read works") { database in
            try await database.makeItems()
            let error = try await thrown(Refusal.self) {
                try await database.read { _ in throw Refusal(number: 8) }
            }
            let ids = try await database.ids()
            #expect(error == Refusal(number: 8))
            #expect(ids.isEmpty)
        },
        SQLDatabaseClause("a body sees its own changes") { database in
            try await database.makeItems()
            let counts = try await database.write(.durable) { session in
                try session.insert(1)
                let first = try session.query("SELECT id FROM items", []).count
                try session.execute("DELETE FROM items", [])
                return [first, try session.query("SELECT id FROM items", []).count]
            }
            #expect(counts == [1, 0])
        },
        SQLDatabaseClause("a body that catches a violated constraint may go on") { database in
            guard database.dialect.name == "sqlite" else { return }
            try await database.makeItems()
            try await database.write(.durable) { session in
                try session.insert(1)
                do {
                    try session.insert(1)
                } catch let error as SQLError where error.kind == .uniqueViolation {
                    try session.insert(2)
                }
            }
            let ids = try await database.ids()
            #expect(ids == [1, 2])
        },
        SQLDatabaseClause("a read is one snapshot, whatever is committed meanwhile") { database in
            try await database.makeItems()
            let written = Counter()
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 1...200 as ClosedRange<Int64> {
                        try await database.write(.relaxed) { session in
                            try session.insert(number)
                            try session.insert(-number)
                        }
                        written.increment()
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        while written.value < 200 {
                            let pair = try await database.read { session in
                                let positive = try session.query("SELECT id FROM items WHERE id > 0", []).count
                                return (positive, try session.query("SELECT id FROM items WHERE id < 0", []).count)
                            }
                            #expect(pair.0 == pair.1)
                        }
                    }
                }
                try await group.waitForAll()
            }
        },
        SQLDatabaseClause("a read must not write") { database in
            try await database.makeItems()
            let error = try await thrown(SQLError.self) {
                try await database.read { try $0.insert(1) }
            }
            let ids = try await database.ids()
            #expect(error != nil)
            #expect(ids.isEmpty)
        },
        SQLDatabaseClause("nothing is taken after the database is closed") { database in
            try await database.makeItems()
            try await database.close()
            let written = try await thrown(SQLError.self) { try await database.write(.durable) { try $0.insert(1) } }
            let read = try await thrown(SQLError.self) { try await database.ids() }
            #expect(written?.kind == .unreachable)
            #expect(read?.kind == .unreachable)
        },
        SQLDatabaseClause("what was under way when the database is closed is finished") { database in
            try await database.makeItems()
            let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 1...200 as ClosedRange<Int64> {
                    group.addTask {
                        let error = try await thrown(SQLError.self) {
                            try await database.write(.durable) { try $0.insert(number) }
                        }
                        #expect(error == nil || error?.kind == .unreachable)
                        return error == nil
                    }
                }
                try await database.close()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == 200)
        },
    ]
}
