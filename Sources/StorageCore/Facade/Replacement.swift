/// What is known, before the end of a body, of the file that its bytes are going to replace: those bytes make room.
public enum Replacement: Sendable {
    /// They are a new file.
    case nothing
    /// They replace this one.
    case file(FileRecord)
    /// They replace a file of the same bytes, if there is one.
    case sameContent
    /// They may replace any file: their path comes behind them.
    case unknown
}

extension Replacement {
    /// Bytes of the replaced file.
    var freed: Int64 {
        if case .file(let record) = self { record.revision?.size ?? 0 } else { 0 }
    }

    var addsFile: Bool {
        if case .file = self { false } else { true }
    }

    /// The longest body that may fit although there is no room for it as a new file, because what it replaces shows only in the end;
    /// nil for none.
    func benefitOfDoubt(in usage: Usage, _ limits: ContainerLimits) -> Int64? {
        guard usage.files > 0 else { return nil }
        return switch self {
        case .nothing, .file: nil
        case .sameContent: usage.bytes
        case .unknown: limits.bytes ?? .max
        }
    }

    /// Whether a body of at least so many bytes may still fit.
    func mayFit(_ bytes: Int64, in usage: Usage, _ limits: ContainerLimits) -> Bool {
        if let longest = benefitOfDoubt(in: usage, limits), bytes <= longest { return true }
        let (total, overflows) = usage.bytes.addingReportingOverflow(max(0, bytes - freed))
        let hasFile = !addsFile || usage.files < limits.files ?? .max
        return hasFile && !overflows && total <= limits.bytes ?? .max
    }
}
