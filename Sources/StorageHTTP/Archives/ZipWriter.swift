import NIOCore
import StorageCore

/// Writes the headers of a ZIP archive for a receiver that takes the archive as it is made (PKWARE APPNOTE 6.3.10; sections below).
///
/// The bytes of an entry lie behind its header, deflated, and their checksum and sizes behind them. Stored entries would be faster,
/// but a reader that cannot seek does not see where one ends that has its sizes behind it (4.4.4, bit 3); only what has no bytes is
/// stored. What the archive ends with, the central directory, grows with every entry: whoever writes takes its parts away as they come.
struct ZipWriter {
    /// An entry whose header was written.
    private struct Open {
        let entry: ArchiveEntry
        let offset: Int64
        let isLarge: Bool
        var content = ZipContent()

        /// 2.0: folders and deflate; 4.5: sizes of 64 bits (4.4.3).
        var version: UInt16 { isLarge || offset >= ZipWriter.limit ? 45 : 20 }
        var isStored: Bool { entry.size == 0 }
    }

    /// What fields of 32 bits hold in place of a larger value (4.4.8).
    private static let limit: Int64 = 0xFFFF_FFFF
    /// From this size on an entry has sizes of 64 bits: what does not compress may grow by a little.
    private static let large: Int64 = 0xF000_0000

    /// The bytes of the archive so far.
    private var position: Int64 = 0
    private var open: Open?
    private var count: Int64 = 0
    private var directory = ByteBuffer()
    private var directorySize: Int64 = 0

    /// The local file header (4.3.7). The bytes of the entry follow, unless it has none.
    mutating func begin(_ entry: ArchiveEntry) -> ByteBuffer {
        let open = Open(entry: entry, offset: position, isLarge: entry.size >= Self.large)
        self.open = open
        var extra = ByteBuffer()
        if open.isLarge {
            extra.writeMultipleIntegers(UInt16(1), UInt16(16), UInt64(0), UInt64(0), endianness: .little)
        }
        extra.writeTimestamp(entry.modifiedAt)
        var header = ByteBuffer()
        header.writeInteger(UInt32(0x0403_4B50), endianness: .little)
        Self.write(open, extra, to: &header)
        header.writeBytes(entry.slashedName)
        header.writeBuffer(&extra)
        position += Int64(header.readableBytes)
        return header
    }

    /// The data descriptor (4.3.9); nothing for an entry without bytes.
    mutating func end(_ content: ZipContent?) -> ByteBuffer {
        guard var open else { return ByteBuffer() }
        var descriptor = ByteBuffer()
        if let content, !open.isStored {
            open.content = content
            descriptor.writeMultipleIntegers(UInt32(0x0807_4B50), content.crc, endianness: .little)
            for size in [content.compressedSize, content.size] {
                if open.isLarge {
                    descriptor.writeInteger(size, endianness: .little)
                } else {
                    descriptor.writeInteger(UInt32(truncatingIfNeeded: size), endianness: .little)
                }
            }
        }
        position += open.content.compressedSize + Int64(descriptor.readableBytes)
        list(open)
        self.open = nil
        return descriptor
    }

    /// The entry's part of the central directory (4.3.12).
    private mutating func list(_ open: Open) {
        var extra = ByteBuffer()
        let isFar = open.offset >= Self.limit
        if open.isLarge || isFar {
            extra.writeMultipleIntegers(UInt16(1), UInt16(open.isLarge ? 16 : 0) + (isFar ? 8 : 0), endianness: .little)
            if open.isLarge {
                extra.writeMultipleIntegers(open.content.size, open.content.compressedSize, endianness: .little)
            }
            if isFar { extra.writeInteger(open.offset, endianness: .little) }
        }
        extra.writeTimestamp(open.entry.modifiedAt)
        let start = directory.writerIndex
        directory.writeInteger(UInt32(0x0201_4B50), endianness: .little)
        // Made on Unix by version 4.5 (4.4.2): names are bytes, and the attributes below have a mode.
        directory.writeInteger(UInt16(0x032D), endianness: .little)
        Self.write(open, extra, to: &directory)
        // No comment, the first disk, no hints.
        directory.writeMultipleIntegers(UInt16(0), UInt16(0), UInt16(0), endianness: .little)
        let mode: UInt32 = open.entry.isFolder ? 0o040755 << 16 | 0x10 : 0o100644 << 16
        directory.writeMultipleIntegers(
            mode, UInt32(truncatingIfNeeded: min(open.offset, Self.limit)), endianness: .little)
        directory.writeBytes(open.entry.slashedName)
        directory.writeBuffer(&extra)
        directorySize += Int64(directory.writerIndex - start)
        count += 1
    }

    /// The fields that both headers of an entry have, in the same order. Sizes that come behind the bytes are zero in the first.
    private static func write(_ open: Open, _ extra: ByteBuffer, to header: inout ByteBuffer) {
        let (time, date) = dosTime(open.entry.modifiedAt)
        // Bit 11: the name is UTF-8 (appendix D); bit 3: checksum and sizes come behind the bytes.
        let flags: UInt16 = 1 << 11 | (open.isStored ? 0 : 1 << 3)
        header.writeMultipleIntegers(
            open.version, flags, UInt16(open.isStored ? 0 : 8), time, date, open.content.crc, endianness: .little)
        for size in [open.content.compressedSize, open.content.size] {
            header.writeInteger(UInt32(truncatingIfNeeded: open.isLarge ? limit : size), endianness: .little)
        }
        header.writeMultipleIntegers(
            UInt16(truncatingIfNeeded: open.entry.slashedName.count), UInt16(extra.readableBytes), endianness: .little)
    }

    /// The parts of the central directory since it was taken last; all of them, in order, go between the last entry and ``finish()``.
    mutating func takeDirectory() -> ByteBuffer {
        defer { directory = ByteBuffer() }
        return directory
    }

    /// What comes behind the central directory (4.3.14 to 4.3.16), where all is told once more in 64 bits if it does not fit 32 or 16.
    mutating func finish() -> ByteBuffer {
        var end = ByteBuffer()
        let isLarge = count >= 0xFFFF || directorySize >= Self.limit || position >= Self.limit
        if isLarge {
            end.writeMultipleIntegers(
                UInt32(0x0606_4B50), UInt64(44), UInt16(0x032D), UInt16(45), UInt32(0), UInt32(0), count, count,
                directorySize, position, endianness: .little)
            end.writeMultipleIntegers(
                UInt32(0x0706_4B50), UInt32(0), position + directorySize, UInt32(1), endianness: .little)
        }
        let entries = UInt16(truncatingIfNeeded: min(count, 0xFFFF))
        end.writeMultipleIntegers(
            UInt32(0x0605_4B50), UInt16(0), UInt16(0), entries, entries,
            UInt32(truncatingIfNeeded: min(directorySize, Self.limit)),
            UInt32(truncatingIfNeeded: min(position, Self.limit)), UInt16(0), endianness: .little)
        return end
    }

    /// Time and date as MS-DOS has them (4.4.6), in UTC and steps of two seconds, from 1980 to 2107.
    private static func dosTime(_ moment: Timestamp) -> (time: UInt16, date: UInt16) {
        let seconds = min(max(moment.seconds, 315_532_800), 4_354_819_199)
        let date = CivilDate(secondsSinceEpoch: seconds)
        return (
            UInt16(date.hour << 11 | date.minute << 5 | date.second / 2),
            UInt16((date.year - 1_980) << 9 | date.month << 5 | date.day)
        )
    }
}

extension ByteBuffer {
    /// The extended timestamp of Info-ZIP (extra field 5455): seconds since 1970, nothing for a time that 31 bits cannot say.
    fileprivate mutating func writeTimestamp(_ moment: Timestamp) {
        guard let seconds = Int32(exactly: moment.seconds), seconds >= 0 else { return }
        writeMultipleIntegers(UInt16(0x5455), UInt16(5), UInt8(1), seconds, endianness: .little)
    }
}
