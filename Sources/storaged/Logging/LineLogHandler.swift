import Glibc
import Logging

/// Makes every record one line, and has it written.
///
/// Never throws: where the line cannot be written it is lost, because the service must not stand still for its log.
struct LineLogHandler: LogHandler {
    let label: String
    let format: LogFormat
    let destination: Destination
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    /// Where lines go.
    enum Destination: Sendable {
        /// Each with one `write(2)`, at once; not closed by the handler.
        case descriptor(Int32)
        /// A little later, by a thread that may wait for a disk.
        case files(LogFiles)
    }

    init(
        label: String, format: LogFormat, level: Logger.Level, to destination: Destination = .descriptor(STDERR_FILENO),
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.format = format
        self.destination = destination
        self.logLevel = level
        self.metadataProvider = metadataProvider
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = LogLine(
            format, at: .now, level: event.level, label: label, message: event.message.description,
            metadata: members(of: event))
        switch destination {
        case .descriptor(let descriptor): line.bytes.writeAll(to: descriptor)
        case .files(let files): files.write(line.bytes, event.level)
        }
    }

    /// Handler, provider, record: the later wins. In the order of the keys, so that lines can be compared.
    private func members(of event: LogEvent) -> [(key: String, value: Logger.MetadataValue)] {
        var members = metadata
        if let provided = metadataProvider?.get(), provided.isEmpty == false {
            members.merge(provided) { $1 }
        }
        if let own = event.metadata, own.isEmpty == false {
            members.merge(own) { $1 }
        }
        if let error = event.error, members["error"] == nil {
            members["error"] = .string(String(describing: error))
        }
        return members.sorted { $0.key < $1.key }
    }
}

extension [UInt8] {
    /// Writes all bytes, normally with one call; gives up at the first error, which `errno` tells, and returns false.
    @discardableResult
    func writeAll(to descriptor: Int32) -> Bool {
        withUnsafeBytes { buffer in
            var rest = buffer[...]
            while rest.isEmpty == false {
                let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}

extension LoggingSystem {
    /// Sends the records of the whole process to the files of a daemon, or else to stderr, as `log` says. Must be called once, before
    /// the first logger is made.
    static func bootstrapStoraged(_ log: StoragedConfiguration.Log, to files: LogFiles? = nil) {
        let destination = files.map { LineLogHandler.Destination.files($0) } ?? .descriptor(STDERR_FILENO)
        bootstrap(
            { label, provider in
                LineLogHandler(
                    label: label, format: log.format, level: log.level, to: destination, metadataProvider: provider)
            },
            metadataProvider: nil)
    }
}
