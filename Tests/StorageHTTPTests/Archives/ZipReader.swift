import CZlib
import NIOCore

/// Reads ZIP archives of known good order strictly: the directory at the end and the headers on the way must say the same.
struct ZipReader {
    /// An entry of the central directory.
    struct Record {
        var name: [UInt8] = []
        var version: UInt16 = 0
        var flags: UInt16 = 0
        var method: UInt16 = 0
        var dosTime: UInt16 = 0
        var dosDate: UInt16 = 0
        var crc: UInt32 = 0
        var compressedSize: UInt64 = 0
        var size: UInt64 = 0
        var offset: UInt64 = 0
        var attributes: UInt32 = 0
        var isLarge = false
        var modified: Int64?
    }

    let archive: ByteBuffer

    /// All entries with their bytes.
    static func read(_ archive: ByteBuffer) throws -> [UnpackedEntry] {
        let reader = ZipReader(archive: archive)
        var position = 0
        let entries = try reader.records().map { record in
            try MalformedArchive.check(Int(record.offset) == position, "an entry is not where the last one ends")
            return try reader.entry(record, &position)
        }
        let directory = try reader.directory()
        try MalformedArchive.check(directory.offset == position, "the directory is not where the entries end")
        return entries
    }

    private func records() throws -> [Record] {
        let (offset, size, count) = try directory()
        guard let slice = archive.getSlice(at: offset, length: size) else { throw MalformedArchive("no directory") }
        let records = try Self.records(in: slice)
        try MalformedArchive.check(records.count == count, "the count of entries is wrong")
        return records
    }

    /// Where the directory lies, by the records behind it.
    private func directory() throws -> (offset: Int, size: Int, count: Int) {
        var end = archive
        end.moveReaderIndex(forwardBy: archive.readableBytes - 22)
        let (signature, _, _, _, count) = try end.take(UInt32.self, UInt16.self, UInt16.self, UInt16.self, UInt16.self)
        let (size, offset, comment) = try end.take(UInt32.self, UInt32.self, UInt16.self)
        try MalformedArchive.check(signature == 0x0605_4B50 && comment == 0, "no end record")
        guard count == 0xFFFF || size == .max || offset == .max else { return (Int(offset), Int(size), Int(count)) }
        var locator = archive
        locator.moveReaderIndex(forwardBy: archive.readableBytes - 42)
        let (mark, _, place, _) = try locator.take(UInt32.self, UInt32.self, UInt64.self, UInt32.self)
        try MalformedArchive.check(mark == 0x0706_4B50, "no zip64 locator")
        var large = archive
        large.moveReaderIndex(forwardBy: Int(place))
        let (largeMark, length, _, _) = try large.take(UInt32.self, UInt64.self, UInt16.self, UInt16.self)
        let (_, _, _, total) = try large.take(UInt32.self, UInt32.self, UInt64.self, UInt64.self)
        let (largeSize, largeOffset) = try large.take(UInt64.self, UInt64.self)
        try MalformedArchive.check(largeMark == 0x0606_4B50 && length == 44, "no zip64 end record")
        return (Int(largeOffset), Int(largeSize), Int(total))
    }

    /// The entries of a directory alone.
    static func records(in directory: ByteBuffer) throws -> [Record] {
        var rest = directory
        var records: [Record] = []
        while rest.readableBytes > 0 {
            let (signature, _) = try rest.take(UInt32.self, UInt16.self)
            try MalformedArchive.check(signature == 0x0201_4B50, "no directory header")
            var record = Record()
            let (name, extra) = try rest.takeCommon(&record)
            _ = try rest.take(UInt16.self, UInt16.self, UInt16.self)
            let (attributes, offset) = try rest.take(UInt32.self, UInt32.self)
            (record.attributes, record.offset) = (attributes, UInt64(offset))
            try rest.takeNameAndExtra(name, extra, &record, isLocal: false)
            records.append(record)
        }
        return records
    }

    private func entry(_ record: Record, _ position: inout Int) throws -> UnpackedEntry {
        var rest = archive
        rest.moveReaderIndex(forwardBy: position)
        let signature = try rest.take(UInt32.self)
        try MalformedArchive.check(signature == 0x0403_4B50, "no local header")
        var local = Record()
        let (name, extra) = try rest.takeCommon(&local)
        try rest.takeNameAndExtra(name, extra, &local, isLocal: true)
        try MalformedArchive.check(
            local.name == record.name && local.flags == record.flags && local.method == record.method
                && local.modified == record.modified, "the two headers differ")
        guard let packed = rest.readSlice(length: Int(record.compressedSize)) else { throw MalformedArchive("cut off") }
        let bytes = record.method == 8 ? try Self.inflated(packed) : packed
        if record.flags & 8 != 0 {
            let (mark, crc, compressed, size) = try rest.take(UInt32.self, UInt32.self, UInt32.self, UInt32.self)
            try MalformedArchive.check(
                mark == 0x0807_4B50 && crc == record.crc && compressed == record.compressedSize && size == record.size,
                "the descriptor is wrong")
        }
        let sum = UInt32(crc32(0, Array(bytes.readableBytesView), UInt32(bytes.readableBytes)))
        try MalformedArchive.check(sum == record.crc && bytes.readableBytes == record.size, "other bytes")
        position = rest.readerIndex
        let isFolder = record.name.last == UInt8(ascii: "/")
        return UnpackedEntry(
            name: isFolder ? record.name.dropLast() : record.name, bytes: isFolder ? nil : bytes,
            modified: record.modified ?? -1)
    }

    /// The bytes of a raw deflate stream that ends where the input does.
    static func inflated(_ input: ByteBuffer) throws -> ByteBuffer {
        var stream = z_stream()
        guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw MalformedArchive("no memory")
        }
        defer { inflateEnd(&stream) }
        var input = Array(input.readableBytesView)
        var output = ByteBuffer()
        var result = Z_OK
        try input.withUnsafeMutableBufferPointer { bytes in
            stream.next_in = bytes.baseAddress
            stream.avail_in = CUnsignedInt(bytes.count)
            while result == Z_OK {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { space in
                    stream.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.avail_out = CUnsignedInt(space.count)
                    result = inflate(&stream, Z_NO_FLUSH)
                    return space.count - Int(stream.avail_out)
                }
            }
            try MalformedArchive.check(result == Z_STREAM_END && stream.avail_in == 0, "no deflate stream")
        }
        return output
    }
}

extension ByteBuffer {
    /// Little-endian integers off the front.
    mutating func take<each T: FixedWidthInteger>(_ types: repeat (each T).Type) throws -> (repeat each T) {
        func one<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
            guard let value = readInteger(endianness: .little, as: type) else { throw MalformedArchive("cut off") }
            return value
        }
        return (repeat try one((each types)))
    }

    /// The fields that both headers of an entry have; returns the lengths of the name and of the extra fields.
    fileprivate mutating func takeCommon(_ record: inout ZipReader.Record) throws -> (Int, Int) {
        (record.version, record.flags, record.method) = try take(UInt16.self, UInt16.self, UInt16.self)
        (record.dosTime, record.dosDate, record.crc) = try take(UInt16.self, UInt16.self, UInt32.self)
        let (compressedSize, size) = try take(UInt32.self, UInt32.self)
        (record.compressedSize, record.size) = (UInt64(compressedSize), UInt64(size))
        let (name, extra) = try take(UInt16.self, UInt16.self)
        return (Int(name), Int(extra))
    }

    fileprivate mutating func takeNameAndExtra(
        _ name: Int, _ extra: Int, _ record: inout ZipReader.Record, isLocal: Bool
    ) throws {
        guard let bytes = readBytes(length: name), var fields = readSlice(length: extra) else {
            throw MalformedArchive("cut off")
        }
        record.name = bytes
        while fields.readableBytes > 0 {
            let (id, length) = try fields.take(UInt16.self, UInt16.self)
            guard var field = fields.readSlice(length: Int(length)) else { throw MalformedArchive("cut off") }
            switch id {
            case 0x0001:
                record.isLarge = true
                if record.size == 0xFFFF_FFFF { record.size = try field.take(UInt64.self) }
                if record.compressedSize == 0xFFFF_FFFF { record.compressedSize = try field.take(UInt64.self) }
                if !isLocal, record.offset == 0xFFFF_FFFF { record.offset = try field.take(UInt64.self) }
            case 0x5455:
                let (flags, seconds) = try field.take(UInt8.self, Int32.self)
                try MalformedArchive.check(flags == 1, "other times than that of the last change")
                record.modified = Int64(seconds)
            default: throw MalformedArchive("an unknown extra field")
            }
            try MalformedArchive.check(field.readableBytes == 0, "an extra field is too long")
        }
    }
}
