/// Listing and usage.
extension FileStorage {
    /// One page of the entries of the principal's container; empty as long as nothing was written under its token.
    ///
    /// - Parameters:
    ///   - principal: Whose container it is.
    ///   - query: Makes the question for a container.
    public func list(
        as principal: Principal, _ query: (ContainerID) -> ListQuery
    ) async throws -> Page<FileRecord> {
        guard let container = container(of: principal) else { return Page(entries: [], hasMore: false) }
        return try await metadata.list(query(container.id))
    }

    /// What the principal's container holds, and the limits in force for it.
    public func usage(of principal: Principal) async throws -> Usage {
        var usage = Usage()
        if let container = container(of: principal) { usage = try await metadata.usage(of: container.id) }
        let own = ContainerLimits(bytes: usage.limitBytes, files: usage.limitFiles)
        let limits = own.inForce(defaults: defaultLimits(of: principal))
        (usage.limitBytes, usage.limitFiles) = (limits.bytes, limits.files)
        return usage
    }
}
