/// Listing and usage.
extension FileStorage {
    /// One page of the entries of the principal's container; empty as long as nothing was written under its token.
    ///
    /// - Parameter query: Makes the question for a container.
    public func list(
        as principal: Principal, _ query: (ContainerID) -> ListQuery
    ) async throws -> Page<FileRecord> {
        guard let container = container(of: principal) else { return Page(entries: [], hasMore: false) }
        return try await metadata.list(query(container.id))
    }

    /// What the principal's container holds.
    public func usage(of principal: Principal) async throws -> Usage {
        guard let container = container(of: principal) else { return Usage() }
        return try await metadata.usage(of: container.id)
    }
}
