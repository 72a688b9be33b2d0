import NIOCore
import StorageCore

/// Writes the headers of a tar archive in the pax interchange format (POSIX.1-2001, `pax`, "EXTENDED DESCRIPTION").
///
/// A ustar header of 512 bytes goes before every entry. What it cannot say, names that are long or not ASCII, sizes from 8 GiB on,
/// times outside 1970 to 2242, a header of type `x` says before it.
enum TarWriter {
    private static let block = 512
    /// The most that eleven octal digits can say.
    private static let limit: Int64 = 0o777_7777_7777

    /// What goes before the bytes of an entry.
    static func header(of entry: ArchiveEntry) -> ByteBuffer {
        var header = ByteBuffer()
        let path = entry.slashedName
        let seconds = entry.modifiedAt.seconds
        let place = ustarPlace(of: path)
        var records: [UInt8] = []
        if place == nil { records += record("path", path) }
        if entry.size > limit { records += record("size", Array(String(entry.size).utf8)) }
        if !(0...limit).contains(seconds) { records += record("mtime", Array(String(seconds).utf8)) }
        let time = min(max(seconds, 0), limit)
        if !records.isEmpty {
            let name = plain(Array("PaxHeaders/".utf8) + (entry.name.split(separator: ASCII.slash).last ?? []))
            header.writeBytes(
                ustar(name, prefix: [], type: "x", mode: 0o644, size: Int64(records.count), modified: time))
            header.writeBytes(records)
            header.writeBytes(padding(behind: Int64(records.count)))
        }
        let (prefix, name) = place ?? ([], plain(path))
        header.writeBytes(
            ustar(
                name, prefix: prefix, type: entry.isFolder ? "5" : "0", mode: entry.isFolder ? 0o755 : 0o644,
                // A reader takes the size from the record; zero is what one that does not know it can live with.
                size: entry.size > limit ? 0 : entry.size, modified: time))
        return header
    }

    /// Zeros up to the next whole block, behind the bytes of an entry.
    static func padding(behind size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((Int64(block) - size % Int64(block)) % Int64(block)))
    }

    /// What the archive ends with: two blocks of zeros.
    static let end = ByteBuffer(repeating: 0, count: 2 * block)

    /// The two fields that a name is divided over at one of its slashes; nil for one that is not ASCII or does not fit.
    private static func ustarPlace(of path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        guard path.allSatisfy({ $0 < 0x80 }) else { return nil }
        guard path.count > 100 else { return ([], path) }
        // The slash itself is not kept; what is behind it must not be empty.
        let earliest = path.count - 101
        guard let slash = path[earliest..<(path.count - 1)].firstIndex(of: ASCII.slash), (1...155).contains(slash)
        else { return nil }
        return (Array(path[..<slash]), Array(path[(slash + 1)...]))
    }

    /// A name for readers that know no extended header: ASCII, as much as fits.
    private static func plain(_ name: [UInt8]) -> [UInt8] {
        name.prefix(100).map { $0 < 0x80 ? $0 : ASCII.underscore }
    }

    /// One record of an extended header: its length, in which the length counts itself, a key and a value.
    private static func record(_ key: StaticString, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0A]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count > length { length += 1 }
        return Array(String(length).utf8) + rest
    }

    private static func ustar(
        _ name: [UInt8], prefix: [UInt8], type: Unicode.Scalar, mode: Int64, size: Int64, modified: Int64
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            header.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        put(name, at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(modified, digits: 11), at: 136)
        put([UInt8](repeating: ASCII.space, count: 8), at: 148)
        put([UInt8(ascii: type)], at: 156)
        put("ustar\u{0}00".utf8, at: 257)
        put(octal(0, digits: 7), at: 329)
        put(octal(0, digits: 7), at: 337)
        put(prefix, at: 345)
        let sum = header.reduce(into: Int64(0)) { $0 += Int64($1) }
        put(octal(sum, digits: 6) + [0], at: 148)
        return header
    }

    /// Octal digits with leading zeros; the byte behind them stays as it is.
    private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
        (0..<digits).reversed().map { ASCII.zero + UInt8(truncatingIfNeeded: value >> (3 * Int64($0)) & 7) }
    }
}
