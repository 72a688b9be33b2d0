import StorageTesting
import Testing

@testable import StorageCore

@Suite("Walks through containers")
struct ContainerWalksTests {
    @Test("are as many as there is memory for, and fewer through one container")
    func admission() throws {
        let walks = ContainerWalks()
        let (one, other) = (ContainerID(), ContainerID())
        for _ in 0..<2 {
            var ofOne = try (0..<ContainerWalks.mostThroughOne).map { _ in try walks.begin(through: one) }
            #expect(throws: StorageError.self) { try walks.begin(through: one) }
            var ofOther = try (0..<ContainerWalks.mostThroughOne).map { _ in try walks.begin(through: other) }
            let rest = ContainerWalks.mostAtOnce - ofOne.count - ofOther.count
            let ofMany = try (0..<rest).map { _ in try walks.begin(through: ContainerID()) }
            let error = #expect(throws: StorageError.self) { try walks.begin(through: ContainerID()) }
            #expect(error?.code == .unavailable)
            ofOne.removeLast()
            #expect(throws: StorageError.self) { try walks.begin(through: other) }
            ofOne.append(try walks.begin(through: one))
            #expect(throws: StorageError.self) { try walks.begin(through: one) }
            ofOther.removeAll()
            withExtendedLifetime((ofOne, ofMany)) {}
        }
    }

    @Test("that were admitted all come to their end, however many steps they take")
    func noneIsRefused() async throws {
        let walks = ContainerWalks()
        let steps = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<ContainerWalks.mostAtOnce {
                let walk = try walks.begin(through: ContainerID())
                group.addTask {
                    var steps = 0
                    for _ in 0..<20 { steps += try await walk.step { 1 } }
                    return steps
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(steps == 20 * ContainerWalks.mostAtOnce)
    }

    @Test("take no step that nobody waits for")
    func left() async throws {
        let walks = ContainerWalks()
        let walk = try walks.begin(through: ContainerID()) { false }
        await #expect(throws: CancellationError.self) { try await walk.step { Issue.record("A step was taken.") } }
        // Those behind it go on.
        for _ in 0..<4 { _ = try? await walk.step {} }
        let next = try walks.begin(through: ContainerID())
        let result = try await next.step { 7 }
        #expect(result == 7)
    }
}
