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
            sockets and devices are skipped, and said so; so is the store itself. What cannot be read, named or held by the \
            account fails by itself, the others go on, and the end is 1. Stopped by SIGINT (130) or SIGTERM (143) it gives \
            back the room that was set aside for what was under way; after SIGKILL that takes two minutes.

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

    func validate() throws {
        do {
            _ = try target()
        } catch {
            let reason = (error as? StorageError)?.message ?? "\(error)"
            throw ValidationError("--to: \((to ?? "").quotedForDisplay) is no folder of an account. \(reason)")
        }
    }

    func run(_ configuration: StoragedConfiguration) async throws {
        LoggingSystem.bootstrapStoraged(configuration.log)
        let (target, output) = (try target(), ImportOutput(isDryRun: dryRun, isJSON: json))
        let report = try await Wiring.besideDaemon(configuration) { stores in
            let owner = try await stores.metadata.account(named: account)
            let source = try openFolder(configuration)
            return try await Interruption.watching {
                try await Self.run(configuration, stores, owner, source, to: target, output)
            }
        }
        guard report.failed == 0 else {
            throw CommandFailure(description: "\(report.failed) of the entries could not be imported")
        }
    }

    private static func run(
        _ configuration: StoragedConfiguration, _ stores: Stores, _ owner: Account, _ source: LocalFolder,
        to target: FilePath?, _ output: ImportOutput
    ) async throws -> ImportReport {
        let pool = BlockingPool(threads: FolderImport.width + 1, queue: 4 * FolderImport.width)
        let excluded = Set(configuration.places.compactMap { LocalFolder.Identity(path: $0) })
        let naming: FolderWalk.Naming = { try path(of: $0, in: target) }
        let isShown = ProgressBar.isWanted
        let total = isShown ? try await pool.run { try measure(source, excluded, naming) } : ProgressBar.Total()
        let bar = ProgressBar(total: total, descriptor: isShown ? 2 : nil)
        defer { bar.finish() }

        let storage = FileStorage(metadata: stores.metadata, blobs: stores.blobs, policy: configuration.filePolicy)
        let work = FolderImport(
            storage: storage, principal: Principal(identity: .account(owner)),
            forecast: output.isDryRun ? try await ImportForecast(storage, account: owner) : nil, pool: pool)
        var report = ImportReport(isDryRun: output.isDryRun)
        let walk = try await pool.run { try FolderWalk(source, excluding: excluded, naming: naming) }
        do {
            try await work.run(walk, progress: { bar.advance(bytes: $0) }) { event in
                report.count(event)
                switch event {
                case .stored, .alreadyThere: bar.advance()
                case .folder: break
                case .skipped, .failed: try bar.interrupted { try output.show(event) }
                }
            }
        } catch {
            report.isComplete = false
            try bar.interrupted { try output.show(report) }
            throw error
        }
        await pool.shutdown()
        bar.finish()
        try output.show(report)
        return report
    }

    private func target() throws -> FilePath? {
        guard let to, to != "/" else { return nil }
        let bytes = Array(to.utf8)
        return try FilePath(bytes.last == UInt8(ascii: "/") ? bytes.dropLast() : bytes[...])
    }

    /// - Parameter name: Relative to the folder; empty for the folder itself.
    private static func path(of name: [UInt8], in target: FilePath?) throws -> FilePath {
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
        _ source: LocalFolder, _ excluded: Set<LocalFolder.Identity>, _ naming: @escaping FolderWalk.Naming
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

extension StoragedConfiguration {
    /// The paths of everything that a store on this machine consists of, there or not.
    fileprivate var places: [String] {
        var places = [dataDirectory]
        if case .disk(let directory?) = blobs.fallback { places.append(directory) }
        guard case .sqlite(let database) = database.location else { return places }
        return places + ["", "-wal", "-shm", "-journal", "-open.lock"].map { database + $0 }
    }
}

/// How an import tells of itself.
private struct ImportOutput: Sendable {
    let isDryRun: Bool
    let isJSON: Bool

    func show(_ event: FolderImport.Event) throws {
        guard let remark = ImportRemark(event) else { return }
        try StandardOutput.write(line: isJSON ? JSONLine.text(of: remark) : remark.text)
    }

    func show(_ report: ImportReport) throws {
        try StandardOutput.write(line: isJSON ? JSONLine.text(of: report) : report.text)
    }
}
