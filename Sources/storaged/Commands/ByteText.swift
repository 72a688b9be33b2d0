/// Sizes for people.
enum ByteText {
    /// `0 bytes`, `1 byte`, `1023 bytes`, `1.5 KiB`, `3.0 GiB`: one decimal, rounded down, so that a limit never looks reached
    /// before it is.
    static func of(_ bytes: Int64) -> String {
        guard bytes.magnitude >= 1_024 else { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var scale: UInt64 = 1_024
        var unit = 0
        while unit < units.count - 1, bytes.magnitude / scale >= 1_024 {
            scale *= 1_024
            unit += 1
        }
        // Tenths of what is left over a whole unit; the rest is below 2^60, so that ten of it fit.
        let tenths = (bytes.magnitude % scale) * 10 / scale
        return "\(bytes < 0 ? "-" : "")\(bytes.magnitude / scale).\(tenths) \(units[unit])"
    }
}
