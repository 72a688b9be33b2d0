import Synchronization

/// Remembers which passwords were right for which hashes, so that a client that sends Basic with every request is not made to
/// wait for scrypt each time.
///
/// The key is an HMAC under a key of this process over hash and password: a changed password has another hash and is not found,
/// and nothing in memory can be tried out elsewhere. Only right passwords are remembered. Of several that ask for the same at
/// once one computes, so that a client's first burst costs one scrypt.
final class VerifiedPasswords: Sendable {
    private typealias Waiting = CheckedContinuation<Result<Bool, any Error>?, Never>

    private struct State {
        var known: LRUCache<[UInt8], Bool>
        var running: [[UInt8]: [Waiting]] = [:]
    }

    private let processKey: [UInt8]
    private let state: Mutex<State>

    /// Draws the key of the process.
    init(capacity: Int) throws {
        processKey = try SHA256.randomBytes(32)
        state = Mutex(State(known: LRUCache(capacity: capacity)))
    }

    /// Whether the password is right for the hash; `compute` is asked unless that is known.
    func check(_ password: [UInt8], against phc: String, compute: () async throws -> Bool) async throws -> Bool {
        // A PHC string, or what stands for one, has no NUL, so that the two cannot run into each other.
        let key = try SHA256.authenticate(Array(phc.utf8) + [0] + password, key: processKey)
        while true {
            let step = state.withLock { state -> Step in
                if state.known.value(for: key) == true { return .known }
                guard state.running[key] == nil else { return .join }
                state.running[key] = []
                return .lead
            }
            switch step {
            case .known: return true
            case .lead: return try await lead(key, compute: compute)
            case .join: if let result = await join(key) { return try result.get() }
            }
        }
    }

    private enum Step {
        case known
        case lead
        case join
    }

    private func lead(_ key: [UInt8], compute: () async throws -> Bool) async throws -> Bool {
        let result: Result<Bool, any Error>
        do {
            result = .success(try await compute())
        } catch {
            result = .failure(error)
        }
        let waiting = state.withLock { state in
            if case .success(true) = result { state.known.insert(true, for: key) }
            return state.running.removeValue(forKey: key) ?? []
        }
        // Who tried too often is one of them: another may come from elsewhere, and asks for itself.
        var shared: Result<Bool, any Error>? = result
        if case .failure(let error as StorageError) = result, error.code == .tooManyRequests { shared = nil }
        for continuation in waiting { continuation.resume(returning: shared) }
        return try result.get()
    }

    /// The result of the one that computes; nil when it has ended since, or was not let.
    private func join(_ key: [UInt8]) async -> Result<Bool, any Error>? {
        await withCheckedContinuation { continuation in
            let isRunning = state.withLock { state in
                guard state.running[key] != nil else { return false }
                state.running[key]?.append(continuation)
                return true
            }
            if !isRunning { continuation.resume(returning: nil) }
        }
    }
}
