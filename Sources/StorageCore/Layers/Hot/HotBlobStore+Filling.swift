import NIOCore
import ServiceLifecycle

extension HotBlobStore {
    /// How many names are taken from one pass over the directory.
    private static let page = 1_000

    /// Finds out what lies here from before, and then writes blobs that are read, until the service shuts down.
    ///
    /// Without it, and after it, what lies here is served and nothing new is kept. A second call while one is under way returns.
    public func run() async throws {
        guard let jobs = fills.open() else { return }
        await cancelWhenGracefulShutdown {
            await self.load()
            await withDiscardingTaskGroup { group in
                for await job in jobs {
                    group.addTask { await self.fill(job) }
                }
                group.cancelAll()
            }
        }
        fills.close()
    }

    /// Takes what lies here into the index, the oldest first.
    private func load() async {
        var found: [(key: BlobKey, size: Int64, modified: Int64)] = []
        do {
            var last: BlobKey?
            while !Task.isCancelled {
                let page = try await disk.copies(after: last, limit: Self.page)
                guard let end = page.last else { break }
                last = end.key
                found += page.filter { $0.size >= 0 }
            }
        } catch {
            log.failed("the hot cache could not be listed", error)
        }
        guard !Task.isCancelled else { return }
        found.sort { $0.modified < $1.modified }
        await delete(fills.load(found.map { ($0.key, $0.size) }))
    }

    /// Writes a blob; whatever keeps it from that only means that it is not kept.
    private func fill(_ job: HotFills.Job) async {
        await delete(job.evicted)
        var isThere = false
        do {
            let staged = try await disk.stage(job.body) { file in
                guard case .file(let fill) = job.source, let opened = try? file.opened() else { return }
                fill.advance(to: file.size, in: opened)
            }
            isThere = try await publish(staged, job)
        } catch {
            if !Task.isCancelled { log.failed("a blob was not kept in the hot cache", error) }
        }
        if !fills.end(job, isThere: isThere), isThere { await delete([job.key]) }
        if isThere { log.succeeded() }
    }

    private func publish(_ staged: StagedBlob, _ job: HotFills.Job) async throws -> Bool {
        do {
            let isRight = staged.digest == job.key.digest && staged.size == job.size
            if isRight { try await disk.publish(staged, as: job.key) }
            await disk.discard(staged)
            return isRight
        } catch {
            await disk.discard(staged)
            throw error
        }
    }
}
