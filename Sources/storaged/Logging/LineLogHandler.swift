import Glibc
import Logging

/// Writes every record as one line to a descriptor, with one `write(2)`.
///
/// Never throws and never retries for long: where the line cannot be written it is lost, because the service must not stand
/// still for its log.
struct LineLogHandler: LogHandler {
    let label: String
    let format: LogFormat
    /// Not closed by the handler.
    let descriptor: Int32
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(
        label: String, format: LogFormat, level: Logger.Level, descriptor: Int32 = STDERR_FILENO,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.format = format
        self.descriptor = descriptor
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
        line.bytes.writeAll(to: descriptor)
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
    /// Sends the records of the whole process to stderr, as `log` says. Must be called once, before the first logger is made.
    static func bootstrapStoraged(_ log: StoragedConfiguration.Log) {
        bootstrap(
            { label, provider in
                LineLogHandler(label: label, format: log.format, level: log.level, metadataProvider: provider)
            },
            metadataProvider: nil)
    }
}
