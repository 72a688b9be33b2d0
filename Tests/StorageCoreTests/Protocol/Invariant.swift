/// What must hold in every state.
enum Invariant: CaseIterable {
    /// The bytes of every revision of every file are in the store: what was acknowledged can be read.
    case nothingIsLost
    /// The row of every life that is referred to is live: the database never authorises the deletion of what is in use.
    case nothingReferencedIsDeleted
    /// A key whose deletion was authorised is not written again.
    case deadKeysStayUnwritten
    /// When everybody is done and every message has arrived, there are no bytes but those that are referred to and those that a
    /// collector will come for.
    case nothingIsLeftBehind
}

extension BlobProtocol {
    func holds(_ invariant: Invariant, in state: ProtocolState) -> Bool {
        switch invariant {
        case .nothingIsLost:
            !(0..<cast.generations).contains { isReferenced($0, in: state) && !state[life: $0].hasBytes }
        case .nothingReferencedIsDeleted:
            !(0..<cast.generations).contains { isReferenced($0, in: state) && state[life: $0].row != .live }
        case .deadKeysStayUnwritten:
            !state.wroteDeadKey
        case .nothingIsLeftBehind:
            !isQuiet(state) || (0..<cast.generations).allSatisfy { isInGoodHands($0, in: state) }
        }
    }

    /// Whether only collectors can still do something, and none has begun.
    private func isQuiet(_ state: ProtocolState) -> Bool {
        for index in 0..<cast.writers where state[writer: index].isAtWork { return false }
        for index in 0..<cast.collectors where state[collector: index].step != .idle { return false }
        for generation in 0..<cast.generations {
            if state[life: generation].hasStrayWrite || state[life: generation].hasStrayDelete { return false }
        }
        return true
    }

    private func isInGoodHands(_ generation: Int, in state: ProtocolState) -> Bool {
        guard state[life: generation].hasBytes, !isReferenced(generation, in: state) else { return true }
        return isDue(generation, in: state)
            || state[life: generation].row == .doomed && guards.contains(.retryOfDoomed)
    }
}
