import Glibc
import StorageCore
import StorageHTTP

/// What the system knows of this process and of the disk under it.
struct ProcessFigures: Sendable {
    /// A directory of the file system whose space is shown; nil for none.
    let directory: String?
    private let start = Timestamp.now().microseconds

    init(directory: String?) {
        self.directory = directory
    }

    /// Adds the figures. May block.
    func sample(_ samples: inout MetricSamples) {
        samples.gauge("storaged_build_info", 1, [("version", Storaged.version)])
        samples.gauge("process_start_time_seconds", Double(start) / 1_000_000)
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            samples.count("process_cpu_seconds_total", usage.ru_utime.asSeconds + usage.ru_stime.asSeconds)
        }
        if let pages = Self.numbers(in: "/proc/self/statm"), pages.count > 1 {
            let size = Double(sysconf(Int32(_SC_PAGESIZE)))
            samples.gauge("process_virtual_memory_bytes", Double(pages[0]) * size)
            samples.gauge("process_resident_memory_bytes", Double(pages[1]) * size)
        }
        if let count = Self.entries(of: "/proc/self/fd") { samples.gauge("process_open_fds", count) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            samples.gauge("process_max_fds", UInt64(limit.rlim_cur))
        }
        guard let directory else { return }
        var space = statvfs()
        if statvfs(directory, &space) == 0 {
            samples.gauge("storage_disk_free_bytes", Double(space.f_bavail) * Double(space.f_frsize))
            samples.gauge("storage_disk_size_bytes", Double(space.f_blocks) * Double(space.f_frsize))
        }
    }

    /// The numbers that a short file holds.
    private static func numbers(in path: String) -> [Int64]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return bytes[..<count].split(separator: UInt8(ascii: " ")).map {
            Int64(String(decoding: $0, as: UTF8.self)) ?? 0
        }
    }

    /// How many entries a directory has, without the one that looking at it takes.
    private static func entries(of path: String) -> Int? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        // Itself, its parent, and the stream.
        return max(0, count - 3)
    }
}

extension timeval {
    fileprivate var asSeconds: Double { Double(tv_sec) + Double(tv_usec) / 1_000_000 }
}
