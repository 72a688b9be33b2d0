import ArgumentParser
import Logging
import StorageCore

/// `storaged import DIR`: an existing folder into an account.
struct ImportCommand: ConfiguredCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Copy a folder into an account, verified; beside a running daemon or without one.",
        discussion: """
            Names are kept byte for byte. Files that are there already with the same bytes are left alone, so that a \
            second run finishes one that was interrupted; other bytes become a new revision. Symbolic links, pipes, \
            sockets and devices are skipped, and said so. Ends with 1 when something could not be read or named.

            \(SettingsHelp.reference)
            """)

    @Argument(help: "the folder whose content is imported")
    var folder: String

    @Option(help: "login or id of the account")
    var account: String

    @Option(help: "the folder of the account that the content goes into (default: its root)")
    var to: String?

    @Flag(help: "say what would be done, and do nothing")
    var dryRun = false

    @Flag(help: "print one JSON object a line: what was skipped, what failed, and the numbers at the end")
    var json = false

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let report = try await Wiring.besideDaemon(configuration) { stores in
            try await run(configuration, stores)
        }
        print(json ? try JSONLine.text(of: report) : report.text)
        guard report.failed == 0 else {
            throw CommandFailure(description: "\(report.failed) of the entries could not be imported")
        }
    }

    private func run(_ configuration: StoragedConfiguration, _ stores: Stores) async throws -> ImportReport {
        let target = try target()
        let owner = try await stores.metadata.account(named: account)
        let pool = BlockingPool(threads: FolderImport.width + 1, queue: 4 * FolderImport.width)
        let source = try openFolder(configuration)
        let excluded = LocalFolder.Identity(path: configuration.dataDirectory)
        let naming: FolderWalk.Naming = { name in
            try Self.path(of: name, in: target, of: owner)
        }
        let isShown = ProgressBar.isWanted
        let total = isShown ? try await pool.run { try Self.measure(source, excluded, naming) } : ProgressBar.Total()
        let bar = ProgressBar(total: total, descriptor: isShown ? 2 : nil)
        defer { bar.finish() }

        let work = FolderImport(
            storage: FileStorage(
                metadata: stores.metadata, blobs: stores.blobs, policy: configuration.filePolicy),
            principal: Principal(identity: .account(owner)), isDryRun: dryRun, pool: pool)
        var report = ImportReport(isDryRun: dryRun)
        let walk = try await pool.run { try FolderWalk(source, excluding: excluded, naming: naming) }
        do {
            try await work.run(walk, progress: { bar.advance(bytes: $0) }) { event in
                report.count(event)
                switch event {
                case .stored, .alreadyThere: bar.advance()
                case .folder: break
                case .skipped, .failed: try bar.interrupted { try show(event) }
                }
            }
        } catch {
            try bar.interrupted { print(json ? try JSONLine.text(of: report) : report.text) }
            throw error
        }
        await pool.shutdown()
        return report
    }

    private func show(_ event: FolderImport.Event) throws {
        guard let remark = ImportRemark(event) else { return }
        print(json ? try JSONLine.text(of: remark) : remark.text)
    }

    private func target() throws -> FilePath? {
        guard let to, to != "/" else { return nil }
        let bytes = Array(to.utf8)
        return try FilePath(bytes.last == UInt8(ascii: "/") ? bytes.dropLast() : bytes[...])
    }

    /// - Parameter name: Relative to the folder; empty for the folder itself.
    private static func path(of name: [UInt8], in target: FilePath?, of owner: Account) throws -> FilePath {
        guard let target else { return try FilePath(name) }
        return name.isEmpty ? target : try target.appending(name)
    }

    private func openFolder(_ configuration: StoragedConfiguration) throws -> LocalFolder {
        do throws(LocalFileError) {
            let source = try LocalFolder(path: folder)
            if let data = LocalFolder.Identity(path: configuration.dataDirectory), try source.isInside(data) {
                throw LocalFileError("it is a part of the data directory")
            }
            return source
        } catch {
            throw CommandFailure(
                description: "\(folder.quotedForDisplay) cannot be imported: \(error.description)", exitStatus: .noInput
            )
        }
    }

    /// What there is to import; blocks.
    private static func measure(
        _ source: LocalFolder, _ excluded: LocalFolder.Identity?, _ naming: @escaping FolderWalk.Naming
    ) throws -> ProgressBar.Total {
        var total = ProgressBar.Total()
        let walk = try FolderWalk(source, excluding: excluded, naming: naming)
        while let entry = walk.next() {
            guard case .file(let file) = entry else { continue }
            total.items += 1
            total.bytes += file.state.size
        }
        return total
    }
}
