/// The protocol by which uploads, deletions and collectors share the bytes of one content, as an explicit-state model.
///
/// # What is modelled
///
/// Equal bytes are stored once in a space. Any number of files refer to them, and nobody counts: whether they are in use is asked of
/// the database. The bytes lie in a store that knows no transactions, where a PUT or DELETE that was sent takes effect when it
/// pleases, also long after its sender died. That is why a key has *generations*: once a deletion of one was authorised, nobody writes
/// that key again, and a DELETE that comes late hits nothing that matters.
///
/// A *life* of the content is one generation: its row goes `pending` (claimed, bytes may be on their way) → `live` (may be referred
/// to) → `doomed` (its deletion is authorised) → `gone` (a tombstone).
///
/// - A **writer** claims a life, writes its bytes where they are not known to be there, and commits a revision that refers to it.
///   The first writer has a file with the content already; it may put another content there first and ours back then, so that a
///   revision is superseded, and pruned unless older ones are kept.
/// - The **deleter** deletes files.
/// - A **collector** dooms a life that nothing refers to, deletes its bytes, and leaves a tombstone.
///
/// Each step is one transaction or one message to the store. Everybody can die between two steps. Time does not appear: a lease or
/// grace period is the promise that something does not happen while something else goes on (see ``Guards/lease``).
///
/// One content is enough: keys of different contents have nothing in common.
struct BlobProtocol {
    let cast: Cast
    let guards: Guards

    init(_ cast: Cast, without removed: Guards = []) {
        self.cast = cast
        guards = Guards.all.subtracting(removed)
    }

    /// One file that was uploaded long ago, and nobody has begun.
    var start: ProtocolState {
        var state = ProtocolState()
        state[life: 0].row = .live
        state[life: 0].hasBytes = true
        state[writer: 0].current = .generation(0)
        state[writer: 0].step = cast.replaces ? .replacing : .ended
        for index in 1..<cast.writers { state[writer: index].step = .claiming }
        state.deletions = cast.deletions
        return state
    }

    /// Calls the body with everything that can happen next.
    func forEachStep(from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        for index in 0..<cast.writers where state[writer: index].isAtWork { write(index, from: state, visit) }
        if state.deletions > 0 { delete(from: state, visit) }
        for index in 0..<cast.collectors { collect(index, from: state, visit) }
        land(from: state, visit)
    }

    /// Effects whose senders wait for them no more.
    private func land(from state: ProtocolState, _ visit: (Step, ProtocolState) -> Void) {
        for generation in 0..<cast.generations {
            if state[life: generation].hasStrayWrite {
                var next = state
                next[life: generation].hasStrayWrite = false
                putBytes(generation, in: &next)
                visit(Step(.store, "a PUT that nobody waits for lands on", generation), next)
            }
            if state[life: generation].hasStrayDelete {
                var next = state
                next[life: generation].hasStrayDelete = false
                next[life: generation].hasBytes = false
                visit(Step(.store, "a DELETE that nobody waits for lands on", generation), next)
            }
        }
    }

    /// The effect of a PUT.
    func putBytes(_ generation: Int, in state: inout ProtocolState) {
        if state[life: generation].isDead { state.wroteDeadKey = true }
        state[life: generation].hasBytes = true
    }

    func isReferenced(_ generation: Int, in state: ProtocolState) -> Bool {
        for index in 0..<cast.writers where state[writer: index].refers(to: generation) { return true }
        return false
    }
}

/// Who takes part.
struct Cast: Hashable, CustomStringConvertible {
    /// Uploads to paths of their own.
    var uploads = 1
    /// Whether the file that is there is overwritten with another content and back.
    var replaces = true
    /// How many files are deleted, whichever they are.
    var deletions = 1
    var collectors = 1
    /// Whether the version before the current one is kept.
    var keepsOlder = false
    /// How many lives the content can have; who would need one more gives up, as an upload does in the end.
    var generations = 4

    /// The first writer and the uploads.
    var writers: Int { 1 + uploads }

    var description: String {
        let overwrite = replaces ? (keepsOlder ? "an overwrite that keeps, " : "an overwrite that prunes, ") : ""
        return "\(overwrite)\(uploads) uploads, \(deletions) deletions, \(collectors) collectors"
    }
}

/// What somebody did, for the account of how it came to a violation.
struct Step: CustomStringConvertible {
    enum Actor {
        case writer(Int)
        case deleter
        case collector(Int)
        case store
    }

    private let actor: Actor
    private let act: StaticString
    private let generation: Int?

    init(_ actor: Actor, _ act: StaticString, _ generation: Int? = nil) {
        self.actor = actor
        self.act = act
        self.generation = generation
    }

    var description: String {
        let name =
            switch actor {
            case .writer(let index): "writer \(index)"
            case .deleter: "the deleter"
            case .collector(let index): "collector \(index)"
            case .store: "in the store"
            }
        return "\(name) \(act)" + (generation.map { " generation \($0)" } ?? "")
    }
}
