internal import CLinux

extension LocalDiskBlobStore {
    /// Gives staged bytes their name and syncs the folder; syncs of one folder that are wanted at the same time are one.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        guard let file = staged.handle as? StagingFile, file.belongs(to: directory) else {
            throw StorageError(.internal, "The body was taken in by another store.")
        }
        let folder = key.folder
        // Not counted: there is one for each upload that was let in.
        let turn = try await writing.runRegardless { () throws -> FolderSyncs.Turn in
            let opened = try self.translating { () throws -> OpenFile in
                let opened = try self.openFolder(folder)
                try self.link(file, size: staged.size, as: key.leaf, in: opened, named: folder)
                return opened
            }
            return try self.syncOrJoin(folder, opened)
        }
        try await waitForSync(of: folder, turn)
    }

    private func link(_ file: StagingFile, size: Int64, as leaf: String, in opened: OpenFile, named folder: String)
        throws
    {
        guard try !file.link(as: leaf, in: opened) else { return }
        guard let present = try StoreDirectory.status(of: leaf, in: opened), present.is_file != 0, present.size == size
        else {
            throw StorageError(.blobMismatch, "The store holds other bytes under this key.")
        }
        // A name that was lost by a failed sync still shows until the file system is mounted anew.
        guard !folders.hasFailed(folder) else {
            throw StorageError(.unavailable, "The store cannot tell whether it holds this blob safely.")
        }
    }
}

extension LocalDiskBlobStore {
    /// Deletes a blob and syncs its folder.
    public func remove(_ key: BlobKey) async throws {
        try await remove([key.leaf], in: key.folder)
    }

    /// Deletes blobs with one sync for each folder.
    public func remove(_ keys: [BlobKey]) async throws {
        for (folder, keys) in Dictionary(grouping: keys, by: \.folder).sorted(by: { $0.key < $1.key }) {
            try await remove(keys.map(\.leaf), in: folder)
        }
    }

    private func remove(_ leaves: [String], in folder: String) async throws {
        let turn = try await writing.run { () throws -> FolderSyncs.Turn? in
            let opened = try self.translating { () throws -> OpenFile? in
                guard let opened = try self.directory.openIfPresent(folder, linux_open_directory) else { return nil }
                for leaf in leaves { try StoreDirectory.removeFile(leaf, in: opened) }
                return opened
            }
            // Also when nothing was there: an earlier deletion may not have been synced.
            return try opened.map { try self.syncOrJoin(folder, $0) }
        }
        if let turn { try await waitForSync(of: folder, turn) }
    }
}

extension LocalDiskBlobStore {
    /// Syncs a folder after a change in it, unless a sync of it is running; blocks.
    private func syncOrJoin(_ folder: String, _ opened: OpenFile) throws -> FolderSyncs.Turn {
        let turn = syncs.begin(folder)
        if turn == .lead { try sync(folder) { opened } }
        return turn
    }

    /// Waits for the sync that ``syncOrJoin(_:_:)`` did not do.
    private func waitForSync(of folder: String, _ turn: FolderSyncs.Turn) async throws {
        guard turn == .wait else { return }
        switch await syncs.wait(for: folder) {
        case .done(let failure):
            if let failure { throw failure }
        case .lead:
            let result: Result<Void, any Error>
            do {
                result = try await writing.runRegardless {
                    Result { try self.sync(folder) { try self.directory.open(folder, linux_open_directory) } }
                }
            } catch {
                // Refused, because the threads have ended: the lead must be passed on all the same.
                syncs.end(folder, error as? StorageError)
                throw error
            }
            try result.get()
        }
    }

    /// Leads a sync; blocks.
    private func sync(_ folder: String, _ open: () throws -> OpenFile) throws {
        var failure: StorageError?
        defer { syncs.end(folder, failure) }
        do {
            try translating {
                let opened = try open()
                syncs.start(folder)
                do {
                    try StoreDirectory.sync(opened)
                } catch {
                    folders.noteFailure(folder)
                    throw error
                }
            }
            noteSync()
        } catch {
            failure = error as? StorageError ?? StorageError(.internal, "The store could not sync.", cause: error)
            throw error
        }
    }

    /// Opens the folder of a key; on first use it is made and its name synced; blocks.
    private func openFolder(_ folder: String) throws -> OpenFile {
        if folders.isDurable(folder) { return try directory.open(folder, linux_open_directory) }
        let parts = folder.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        var path = parts[0]
        var opened = try directory.open(path, linux_open_directory)
        for part in parts.dropFirst() {
            try StoreDirectory.makeFolder(part, in: opened)
            path += "/" + part
            if !folders.isDurable(path) {
                try StoreDirectory.sync(opened)
                folders.noteDurable(path)
            }
            opened = try directory.open(path, linux_open_directory)
        }
        return opened
    }
}
