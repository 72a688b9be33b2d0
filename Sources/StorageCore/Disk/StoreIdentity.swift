internal import CLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The file `store.id`: a random UUID that the database remembers, so that a store and a database which do not belong together,
/// or an empty mount point, are noticed.
enum StoreIdentity {
    private static let name = "store.id"
    /// How the file is called while it is made, where files must have a name.
    static let draft = "store.id.new-"

    /// The UUID in lower case; nil when there is none yet.
    static func read(in directory: StoreDirectory, _ path: String) throws -> String? {
        guard let file = try directory.openIfPresent(name, linux_open_read) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try SystemCallError.check("pread", linux_pread(file.descriptor, &bytes, bytes.count, 0))
        let text = bytes.prefix(count)
        guard let id = Identifier<LocalDiskBlobStore>(text: text.last == UInt8(ascii: "\n") ? text.dropLast() : text)
        else {
            throw StorePreparation.refusal("The store's file store.id does not hold a UUID.", path)
        }
        return id.description
    }

    /// Makes the file, durable and whole or not at all; false when somebody else did so first.
    static func make(in directory: StoreDirectory, hasUnnamedFiles: Bool) throws -> Bool {
        let random = try SHA256.randomBytes(16)
        let draft = self.draft + Hexadecimal.encode(random)
        let file =
            hasUnnamedFiles
            ? try directory.open(".", linux_open_unnamed, mode: 0o600)
            : try directory.open(draft, linux_open_create, mode: 0o600)
        defer { if !hasUnnamedFiles { _ = linux_unlinkat(directory.root.descriptor, draft) } }

        let text = Array("\(Identifier<LocalDiskBlobStore>.random())\n".utf8)
        let written = try SystemCallError.check("write", linux_write(file.descriptor, text, text.count))
        guard written == text.count else { throw SystemCallError(call: "write", errno: ENOSPC) }
        try StoreDirectory.sync(file)
        let result =
            hasUnnamedFiles
            ? linux_linkat_descriptor(file.descriptor, directory.root.descriptor, name)
            : linux_linkat(directory.root.descriptor, draft, directory.root.descriptor, name)
        try StoreDirectory.sync(directory.root)
        guard result != -EEXIST else { return false }
        try SystemCallError.check("linkat", result)
        return true
    }
}
