/// Commits whose answer may get lost.
extension FileStorage {
    /// Commits a change that is not an upload's, and finds out what happened when the answer was lost.
    ///
    /// - Parameter effect: Looks for what the change leaves behind; nil when it is not there, so that the change is made again.
    /// - Throws: ``StorageError/Code/unavailable`` when the database does not answer again and again.
    func commit(
        _ change: FileChange, orFind effect: () async throws -> FileChangeResult?
    ) async throws -> FileChangeResult {
        var mayBeDone = false
        for _ in 0..<Self.attempts {
            do {
                return try await metadata.commit(change)
            } catch let error as StorageError where error.code == .outcomeUnknown {
                mayBeDone = true
                if let result = try await effect() { return result }
            } catch  where mayBeDone {
                // The first commit may have taken effect only after it was looked for; this one has waited for it.
                if let result = try await effect() { return result }
                throw error
            }
        }
        throw Self.noAnswer
    }

    /// Commits an upload; where the answer was lost, the row of the upload tells what happened: only positive evidence counts.
    func commit(_ put: FileChange.Put) async throws -> FileChangeResult {
        for _ in 0..<Self.attempts {
            do {
                return try await metadata.commit(.put(put))
            } catch let error as StorageError where error.code == .outcomeUnknown {
                switch try await metadata.outcome(of: put.upload) {
                case .committed(let result): return result
                case .open: continue
                case .unknown: return .blobLost
                }
            }
        }
        throw Self.noAnswer
    }

    private static let attempts = 3
    private static let noAnswer = StorageError(
        .unavailable, "The database does not answer. Try again later.", isTransient: true)
}
