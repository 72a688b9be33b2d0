import StorageCore
import Testing

@testable import StorageSQL

/// Moving metadata from one database into another.
@Suite struct MetadataCopyTests {
    private func copy(
        _ source: MovingDatabase, _ target: MovingDatabase, waiting wait: Duration = .zero
    ) -> MetadataCopy {
        var patience = MetadataCopy.Patience()
        patience.uploads = wait
        patience.pause = .milliseconds(5)
        return MetadataCopy(from: source.migrator, to: target.migrator, place: "sqlite:/b", patience: patience)
    }

    /// Moves everything as the command does; what is thrown is thrown after the source was thawed.
    @discardableResult
    private func move(_ source: MovingDatabase, _ target: MovingDatabase) async throws -> Int {
        let copy = copy(source, target)
        #expect(try await copy.prepare())
        do {
            return try await copy.run()
        } catch {
            _ = try await copy.giveUp()
            throw error
        }
    }

    private func code(_ body: () async throws -> Void) async throws -> StorageError.Code? {
        try await thrown(StorageError.self, by: body)?.code
    }

    @Test(arguments: Engine.ways)
    func everyRowIsTheSameAfterwardsAndTheSourceIsMovedForGood(_ way: Way) async throws {
        try await way.withDatabases(files: 1_203) { source, target in
            let before = try await source.rows
            let (copied, compared) = (Counter(), Counter())
            let copy = copy(source, target)
            #expect(try await copy.prepare())
            let count = try await copy.run { progress in
                switch progress {
                case .copied(let rows): for _ in 0..<rows { copied.increment() }
                case .compared(let rows): for _ in 0..<rows { compared.increment() }
                case .waiting, .frozen: break
                }
            }
            let (left, moved) = (try await source.rows, try await target.rows)
            #expect(moved == before)
            #expect(left == before)
            #expect(moved.values.allSatisfy { !$0.isEmpty })
            #expect(count == before.values.reduce(0) { $0 + $1.count })
            #expect(copied.value == count)
            #expect(compared.value == count)
            let ending = try await target.state
            #expect(ending == .open)
            try await target.execute("DELETE FROM audit")
            let state = try await source.state
            guard case .moved(_, "sqlite:/b") = state else {
                Issue.record("\(state)")
                return
            }
            let refusal = try await code { try state.checkUsable() }
            #expect(refusal == .wrongStore)
            let write = try await source.failure("DELETE FROM audit")
            #expect(write == .frozen)
            let again = try await code { _ = try await self.copy(source, target).prepare() }
            #expect(again == .wrongStore)
            let thaw = try await code { _ = try await MetadataCopy.giveUp(source.migrator) }
            #expect(thaw == .wrongStore)
        }
    }

    @Test(arguments: Engine.ways)
    func databasesThatCannotBeAreRefusedAndLeftAsTheyAre(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await target.migrator.up()
            let unused = try await code { _ = try await copy(target, source).prepare() }
            #expect(unused == .wrongStore)
            try await target.execute("INSERT INTO settings (key, value) VALUES ('store.id', 'x')")
            let filled = try await thrown(StorageError.self) { try await copy(source, target).prepare() }
            #expect(filled?.code == .wrongStore)
            #expect(filled?.message.contains("settings") == true)
            let itself = try await code { _ = try await copy(source, source).prepare() }
            #expect(itself == .wrongStore)
            try await source.migrator.down(to: 1)
            let old = try await thrown(StorageError.self) { try await copy(source, target).prepare() }
            #expect(old?.code == .wrongStore)
            #expect(old?.message.contains("migrate up") == true)
            let states = [try await source.state, try await target.state]
            #expect(states == [.open, .open])
        }
    }

    @Test(arguments: Engine.ways)
    func uploadsUnderWayMayEndAndNoneMayBegin(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await source.addUpload()
            let isWaiting = Counter()
            let copy = copy(source, target, waiting: .seconds(30))
            #expect(try await copy.prepare())
            async let count = copy.run { if case .waiting(uploads: 1) = $0 { isWaiting.increment() } }
            while isWaiting.value < 3 { try await Task.sleep(for: .milliseconds(1)) }
            let another = try await source.failure(
                "INSERT INTO uploads (id, container_id, started_at, heartbeat_at) VALUES ($1, $1, 5, 5)",
                [.bytes([9, 8])])
            #expect(another == .frozen)
            try await source.execute("UPDATE uploads SET committed_at = 7 WHERE id = $1", [.bytes([9, 9])])
            #expect(try await count > 0)
            let uploads = try await target.rows["uploads"]
            #expect(uploads?.count == 2)
        }
    }

    @Test(arguments: Engine.ways)
    func uploadsThatGoOnForTooLongEndTheCopyAndNotTheUpload(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await source.addUpload()
            let error = try await thrown(StorageError.self) { try await move(source, target) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("1 uploads") == true)
            let state = try await source.state
            #expect(state == .open)
            let goesOn = try await source.failure("UPDATE uploads SET committed_at = 7")
            #expect(goesOn == nil)
            try await move(source, target)
        }
    }

    @Test(arguments: Engine.ways)
    func anUploadThatIsSilentForTwoMinutesIsNotWaitedFor(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await source.addUpload(silentFor: 121 * 1_000_000)
            try await move(source, target)
        }
    }

    @Test(arguments: Engine.ways.filter { $0.target == .sqlite })
    func aRowThatIsNotTheSameEndsTheCopyAndIsNamed(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await target.migrator.up()
            try await target.database.write(.durable) { session in
                try session.script(
                    """
                    CREATE TRIGGER spoil AFTER INSERT ON blobs WHEN NEW.id = x'02000700ff'
                    BEGIN UPDATE blobs SET size = 11 WHERE id = NEW.id; END;
                    """)
            }
            let error = try await thrown(StorageError.self) { try await move(source, target) }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("blobs") == true)
            #expect(error?.message.contains("02000700ff") == true)
            let states = [try await source.state, try await target.state]
            #expect(states[0] == .open)
            guard case .receiving = states[1] else {
                Issue.record("\(states[1])")
                return
            }
            try await target.database.write(.durable) { try $0.script("DROP TRIGGER spoil") }
            let count = try await move(source, target)
            #expect(count > 0)
        }
    }

    /// What a process leaves that dies in the middle: nobody thaws.
    private func die(_ copy: MetadataCopy) async throws {
        #expect(try await copy.prepare())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = try? await copy.run { progress in
                    if case .copied = progress { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
        }
    }

    @Test(arguments: Engine.ways)
    func aSourceThatWasLeftFrozenIsMovedByTheNextCopy(_ way: Way) async throws {
        try await way.withDatabases(files: 700) { source, target in
            let before = try await source.rows
            let first = copy(source, target)
            try await die(first)
            guard case .frozen = try await source.state, case .receiving = try await target.state else {
                Issue.record("The copy did not die in the middle.")
                return
            }
            let refusal = try await code { try await target.state.checkUsable() }
            #expect(refusal == .wrongStore)
            try await source.state.checkUsable()
            let write = try await source.failure("DELETE FROM audit")
            #expect(write == .frozen)
            try await move(source, target)
            let after = try await target.rows
            #expect(after == before)
            let ending = try await first.giveUp()
            #expect(ending == .takenOver)
        }
    }

    @Test(arguments: Engine.ways)
    func aSourceThatWasLeftFrozenIsThawedOnDemand(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            let notYet = try await MetadataCopy.giveUp(source.migrator)
            #expect(!notYet)
            try await die(copy(source, target))
            let wasFrozen = try await MetadataCopy.giveUp(source.migrator)
            #expect(wasFrozen)
            let write = try await source.failure("DELETE FROM audit")
            #expect(write == nil)
        }
    }

    @Test(arguments: Engine.ways)
    func aCopyThatAnotherTookOverFailsAndThawsNothing(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await source.addUpload()
            let (first, second) = (copy(source, target, waiting: .seconds(30)), copy(source, target))
            #expect(try await first.prepare())
            let isWaiting = Counter()
            async let failure = thrown(StorageError.self) {
                try await first.run { _ in isWaiting.increment() }
            }
            while isWaiting.value == 0 { try await Task.sleep(for: .milliseconds(1)) }
            _ = try await MetadataCopy.giveUp(source.migrator)
            #expect(try await second.prepare())
            try await source.execute("UPDATE uploads SET committed_at = 7")
            let error = try await failure
            #expect(error?.code == .unprocessable)
            let ending = try await first.giveUp()
            #expect(ending == .open)
            let count = try await second.run()
            #expect(count > 0)
        }
    }

    @Test(arguments: Engine.ways)
    func aCopyThatDiedBeforeItsLastStepIsFinishedByTheNextCall(_ way: Way) async throws {
        try await way.withDatabases { source, target in
            try await move(source, target)
            guard case .moved(let id, _) = try await source.state else {
                Issue.record("The source was not moved.")
                return
            }
            try await target.execute(
                "INSERT INTO settings (key, value) VALUES ('database.state', $1)", [.text("complete \(id)")])
            let isNeeded = try await copy(source, target).prepare()
            #expect(!isNeeded)
            let state = try await target.state
            #expect(state == .open)
        }
    }
}
