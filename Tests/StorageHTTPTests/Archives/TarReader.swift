import NIOCore

/// Reads tar archives in the pax format strictly.
enum TarReader {
    /// A header, with what an extended header before it said.
    struct Header {
        var name: [UInt8] = []
        var type: UInt8 = 0
        var mode: Int64 = 0
        var size: Int64 = 0
        var modified: Int64 = 0
        /// The keys of the extended header.
        var extended: [String] = []
    }

    /// All entries with their bytes; the archive must end where it should.
    static func read(_ archive: ByteBuffer) throws -> [UnpackedEntry] {
        var rest = archive
        var entries: [UnpackedEntry] = []
        while let header = try header(&rest) {
            let isFolder = header.type == UInt8(ascii: "5")
            try MalformedArchive.check(isFolder == (header.name.last == UInt8(ascii: "/")), "a slash")
            let bytes = try content(header.size, &rest)
            entries.append(
                UnpackedEntry(
                    name: isFolder ? header.name.dropLast() : header.name, bytes: isFolder ? nil : bytes,
                    modified: header.modified))
        }
        try MalformedArchive.check(rest.readableBytes == 0, "something behind the end")
        return entries
    }

    /// The next header; nil at the two blocks of zeros that end the archive.
    static func header(_ rest: inout ByteBuffer) throws -> Header? {
        guard let first = try ustar(&rest) else {
            let last = try ustar(&rest)
            try MalformedArchive.check(last == nil, "only one block of zeros")
            return nil
        }
        guard first.type == UInt8(ascii: "x") else { return first }
        var records = try content(first.size, &rest)
        guard var header = try ustar(&rest) else { throw MalformedArchive("an extended header of nothing") }
        while records.readableBytes > 0 {
            let (key, value) = try record(&records)
            header.extended.append(key)
            switch key {
            case "path": header.name = value
            case "size": header.size = Int64(String(decoding: value, as: UTF8.self)) ?? -1
            case "mtime": header.modified = Int64(String(decoding: value, as: UTF8.self)) ?? -1
            default: throw MalformedArchive("the key \(key)")
            }
        }
        return header
    }

    private static func ustar(_ rest: inout ByteBuffer) throws -> Header? {
        guard let block = rest.readBytes(length: 512) else { throw MalformedArchive("cut off") }
        guard block.contains(where: { $0 != 0 }) else { return nil }
        func text(_ range: Range<Int>) -> [UInt8] { Array(block[range].prefix { $0 != 0 }) }
        func number(_ range: Range<Int>) throws -> Int64 {
            guard let value = Int64(String(decoding: text(range), as: UTF8.self), radix: 8) else {
                throw MalformedArchive("no number")
            }
            return value
        }
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int64($1.element)) }
        try MalformedArchive.check(try number(148..<155) == sum, "the checksum is wrong")
        try MalformedArchive.check(Array(block[257..<265]) == Array("ustar\u{0}00".utf8), "no ustar header")
        let prefix = text(345..<500)
        return Header(
            name: prefix.isEmpty ? text(0..<100) : prefix + [UInt8(ascii: "/")] + text(0..<100), type: block[156],
            mode: try number(100..<108), size: try number(124..<136), modified: try number(136..<148))
    }

    private static func content(_ size: Int64, _ rest: inout ByteBuffer) throws -> ByteBuffer {
        let padding = (512 - Int(size) % 512) % 512
        guard let bytes = rest.readSlice(length: Int(size)), let zeros = rest.readBytes(length: padding) else {
            throw MalformedArchive("cut off")
        }
        try MalformedArchive.check(zeros.allSatisfy { $0 == 0 }, "no padding")
        return bytes
    }

    /// `<length> <key>=<value>\n`, where the length counts all of it.
    private static func record(_ rest: inout ByteBuffer) throws -> (String, [UInt8]) {
        let digits = rest.readableBytesView.prefix { $0 != UInt8(ascii: " ") }
        guard let length = Int(String(decoding: digits, as: UTF8.self)), let record = rest.readBytes(length: length),
            record.last == 0x0A
        else { throw MalformedArchive("no record") }
        let parts = record.dropFirst(digits.count + 1).dropLast().split(
            separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        return (String(decoding: parts[0], as: UTF8.self), Array(parts[1]))
    }
}
