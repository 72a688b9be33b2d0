/// Uploads, overwrites and deletions.
extension BlobProtocol {
    func write(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let writer = state[writer: index]
        let generation = writer.generation
        die(index, from: state, visit)
        switch writer.step {
        case .ended:
            break
        case .replacing:
            replace(index, from: state, visit)
        case .claiming:
            claim(index, from: state, visit)
        case .looking:
            look(index, from: state, visit)
        case .writing:
            var next = state
            next[writer: index].step = .sent
            visit(Step(.writer(index), "sends a PUT to", generation), next)
        case .sent:
            wait(index, from: state, visit)
        case .committing:
            commit(index, from: state, visit)
        }
    }

    /// The process ends; what it sent goes on.
    private func die(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let writer = state[writer: index]
        var next = state
        if writer.step == .sent { next[life: writer.generation].hasStrayWrite = true }
        next[writer: index].end()
        visit(Step(.writer(index), "dies"), next)
    }

    /// Another content becomes the current one of the file. Its own blob has a protocol of its own.
    private func replace(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        var next = state
        makeCurrent(.otherContent, at: index, in: &next)
        next[writer: index].step = .claiming
        visit(Step(.writer(index), "puts another content first"), next)
    }

    /// The life that is pending or live, or a new one.
    private func claim(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        var next = state
        if let generation = (0..<cast.generations).first(where: { state[life: $0].isUsable }) {
            next[writer: index].generation = generation
            if state[life: generation].row == .live {
                next[writer: index].step = .looking
                visit(Step(.writer(index), "claims the live", generation), next)
            } else {
                next[writer: index].step = guards.contains(.writesDespitePending) ? .writing : .committing
                visit(Step(.writer(index), "claims the pending", generation), next)
            }
        } else if let generation = newGeneration(in: state) {
            if guards.contains(.rowBeforeBytes) { next[life: generation].row = .pending }
            next[writer: index].generation = generation
            next[writer: index].step = .writing
            visit(Step(.writer(index), "claims the new", generation), next)
        }
    }

    /// Generation 0 if the content has no row at all, else one that no life had before; nil where the model has no more.
    private func newGeneration(in state: ProtocolState) -> Int? {
        guard guards.contains(.newGenerations) else {
            // Even a writer that waits until the collector is done with the key meets a DELETE that lands later.
            return state[life: 0].row == .doomed ? nil : 0
        }
        if (0..<cast.generations).allSatisfy({ state[life: $0].row == .none }) { return 0 }
        return (1..<cast.generations).first { state[life: $0].row == .none && !state[life: $0].isDead }
    }

    /// A live blob needs no bytes, if it has them.
    private func look(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let generation = state[writer: index].generation
        var next = state
        if state[life: generation].hasBytes {
            next[writer: index].step = .committing
            visit(Step(.writer(index), "sees the bytes of", generation), next)
        } else {
            if state[life: generation].isUsable { next[life: generation].row = .corrupt }
            next[writer: index].step = .claiming
            visit(Step(.writer(index), "misses the bytes of", generation), next)
        }
    }

    private func wait(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let generation = state[writer: index].generation
        var next = state
        putBytes(generation, in: &next)
        next[writer: index].step = .committing
        visit(Step(.writer(index), "sees its PUT land on", generation), next)
        if !guards.contains(.bytesBeforeCommit) {
            next = state
            next[life: generation].hasStrayWrite = true
            next[writer: index].step = .committing
            visit(Step(.writer(index), "does not wait for its PUT to", generation), next)
        }
        if guards.contains(.rowBeforeBytes), !state[life: generation].isUsable {
            next = state
            next[life: generation].hasStrayWrite = true
            next[writer: index].step = .claiming
            visit(Step(.writer(index), "hears from its heartbeat that it lost", generation), next)
        }
    }

    /// One transaction: the life is checked and becomes live, and the file gets a revision that refers to it.
    private func commit(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let generation = state[writer: index].generation
        var next = state
        let makesRow = !guards.contains(.rowBeforeBytes) && state[life: generation].row == .none
        if state[life: generation].isUsable || makesRow {
            next[life: generation].row = .live
            next[life: generation].isReleased = false
        } else if guards.contains(.recheckInCommit) {
            next[writer: index].step = .claiming
            visit(Step(.writer(index), "learns in its commit that it lost", generation), next)
            return
        }
        makeCurrent(.generation(generation), at: index, in: &next)
        next[writer: index].end()
        visit(Step(.writer(index), "commits a revision of", generation), next)
    }

    /// A new revision; the same as the current one makes none. What is not kept is pruned in the same transaction.
    private func makeCurrent(_ revision: Version, at index: Int, in state: inout ProtocolState) {
        let (replaced, older) = (state[writer: index].current, state[writer: index].older)
        guard replaced != revision else { return }
        let pruned = cast.keepsOlder ? older : replaced
        if cast.keepsOlder { state[writer: index].older = replaced }
        state[writer: index].current = revision
        if guards.contains(.releaseOnPrune) { release(pruned, in: &state) }
    }

    private func release(_ revision: Version, in state: inout ProtocolState) {
        guard let generation = revision.generation, state[life: generation].isUsable else { return }
        state[life: generation].isReleased = true
    }

    /// A file goes with all its revisions.
    func delete(from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        for index in 0..<cast.writers where state[writer: index].current != .none {
            let revisions = [state[writer: index].current, state[writer: index].older]
            var next = state
            next.deletions -= 1
            next[writer: index].current = .none
            next[writer: index].older = .none
            if guards.contains(.releaseOnDelete) {
                for revision in revisions { release(revision, in: &next) }
            }
            visit(Step(.deleter, "deletes a file"), next)
        }
    }
}
