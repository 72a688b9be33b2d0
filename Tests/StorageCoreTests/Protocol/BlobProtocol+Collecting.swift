/// Collectors: any number of nodes, without a leader.
extension BlobProtocol {
    func collect(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let collector = state[collector: index]
        if collector.step != .idle { die(index, from: state, visit) }
        switch collector.step {
        case .idle:
            for generation in 0..<cast.generations { doom(generation, by: index, from: state, visit) }
        case .chosen:
            doomUnseen(index, from: state, visit)
        case .deleting:
            var next = state
            next[collector: index].step = .sent
            visit(Step(.collector(index), "sends a DELETE to", collector.generation), next)
        case .sent:
            var next = state
            next[life: collector.generation].hasBytes = false
            next[collector: index].step = .settling
            if !guards.contains(.deleteBeforeTombstone) { next[collector: index] = .idle }
            visit(Step(.collector(index), "sees its DELETE land on", collector.generation), next)
        case .settling:
            settle(index, from: state, visit)
        }
    }

    /// The process ends, or gives up waiting. Its node comes back with empty hands; what was sent goes on.
    private func die(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let collector = state[collector: index]
        var next = state
        if collector.step == .sent { next[life: collector.generation].hasStrayDelete = true }
        next[collector: index] = .idle
        visit(Step(.collector(index), "dies or gives up on", collector.generation), next)
    }

    /// One transaction: locks the row of a life that is due, asks whether it is referred to, and authorises its deletion if not.
    private func doom(
        _ generation: Int, by index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void
    ) {
        var next = state
        next[collector: index].generation = generation
        if state[life: generation].row == .doomed {
            guard guards.contains(.retryOfDoomed) else { return }
            next[collector: index].step = firstStep
            visit(Step(.collector(index), "takes over the doomed", generation), next)
        } else if isDue(generation, in: state) {
            if isReferenced(generation, in: state) {
                next[collector: index] = .idle
                next[life: generation].isReleased = false
                visit(Step(.collector(index), "takes off its list the referenced", generation), next)
            } else if guards.contains(.freshLookInDoom) {
                authorise(index, in: &next)
                visit(Step(.collector(index), "dooms", generation), next)
            } else {
                next[collector: index].step = .chosen
                visit(Step(.collector(index), "sees no reference to", generation), next)
            }
        }
    }

    /// Decides on the answer from before the lock.
    private func doomUnseen(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let generation = state[collector: index].generation
        var next = state
        if state[life: generation].isUsable { authorise(index, in: &next) } else { next[collector: index] = .idle }
        visit(Step(.collector(index), "dooms on what it saw", generation), next)
    }

    private func authorise(_ index: Int, in state: inout ProtocolState) {
        let generation = state[collector: index].generation
        if guards.contains(.doomBeforeDelete) {
            state[life: generation].row = .doomed
            state[life: generation].isReleased = false
        }
        state[life: generation].isDead = true
        state[collector: index].step = firstStep
    }

    /// Deletes first and says so then.
    private var firstStep: Collector.Step { guards.contains(.deleteBeforeTombstone) ? .deleting : .settling }

    private func settle(_ index: Int, from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        let generation = state[collector: index].generation
        var next = state
        if state[life: generation].row == .doomed || !guards.contains(.doomBeforeDelete) {
            // Those of later generations are swept in the end: their numbers are random and never come again.
            next[life: generation].row = guards.contains(.tombstones) ? .gone : .none
            next[life: generation].isReleased = false
        }
        if guards.contains(.deleteBeforeTombstone) {
            next[collector: index] = .idle
        } else {
            next[collector: index].step = .deleting
        }
        visit(Step(.collector(index), "leaves a tombstone of", generation), next)
    }

    /// Whether a collector may look at a life that is not doomed yet.
    func isDue(_ generation: Int, in state: ProtocolState) -> Bool {
        let life = state[life: generation]
        switch life.row {
        case .pending:
            return !guards.contains(.lease) || !(life.hasStrayWrite || isClaimed(generation, in: state))
        case .live:
            return life.isReleased
                && (!guards.contains(.grace) || !(life.hasStrayWrite || isBeingWritten(generation, in: state)))
        case .none, .doomed, .gone, .corrupt:
            return false
        }
    }

    private func isClaimed(_ generation: Int, in state: ProtocolState) -> Bool {
        for index in 0..<cast.writers {
            let writer = state[writer: index]
            switch writer.step {
            case .looking, .writing, .sent, .committing: if writer.generation == generation { return true }
            case .ended, .replacing, .claiming: break
            }
        }
        return false
    }

    private func isBeingWritten(_ generation: Int, in state: ProtocolState) -> Bool {
        for index in 0..<cast.writers {
            let writer = state[writer: index]
            if writer.step == .writing || writer.step == .sent, writer.generation == generation { return true }
        }
        return false
    }
}
