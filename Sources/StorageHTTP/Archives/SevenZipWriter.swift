import NIOCore
import StorageCore

/// Plans a 7z archive of stored entries (7zFormat.txt of the LZMA SDK; names in quotes are its own).
///
/// The archive begins with the place, size and checksum of its "Header", which comes last: so names, sizes and times of all entries must
/// be known before the first byte leaves. The bytes of all files lie between as one "Folder" with the coder "Copy". Checksums of
/// the files would have to stand in the header, when nobody has read them yet; the format allows to leave them out.
///
/// The lists of the header grow with every entry: whoever plans takes their parts away as they come, and puts them together again
/// where ``header()`` says.
struct SevenZipWriter {
    /// The lists of the header that have an element for every entry, or for some.
    enum List: Int, CaseIterable, Sendable {
        case sizes, emptyStreams, emptyFiles, names, times
    }

    /// The header is made of these, in order.
    enum Piece: Sendable {
        case bytes(ByteBuffer)
        /// All parts of a list.
        case list(List)
    }

    /// "signature header": where the bytes of the files begin.
    static let signatureHeaderSize = 32

    private var parts = [ByteBuffer](repeating: ByteBuffer(), count: List.allCases.count)
    private var lengths = [Int64](repeating: 0, count: List.allCases.count)
    private var emptyStreams = BitList()
    private var emptyFiles = BitList()
    private var hasEmptyFile = false
    private var streams: Int64 = 0
    /// The bytes of all files.
    private(set) var size: Int64 = 0
    /// The size of the last file with bytes: it is not listed, because it is the rest.
    private var lastSize: Int64?

    /// Plans an entry.
    mutating func add(_ entry: ArchiveEntry) {
        let size = entry.size
        extend(.emptyStreams, by: emptyStreams.append(size == 0))
        if size > 0 {
            if let lastSize { extend(.sizes) { $0.writeNumber(lastSize) } }
            lastSize = size
            streams += 1
            self.size += size
        } else {
            hasEmptyFile = hasEmptyFile || !entry.isFolder
            extend(.emptyFiles, by: emptyFiles.append(!entry.isFolder))
        }
        extend(.names) { names in
            for unit in String(decoding: entry.name, as: UTF8.self).utf16 {
                names.writeInteger(unit, endianness: .little)
            }
            names.writeInteger(UInt16(0))
        }
        extend(.times) { $0.writeInteger(Self.fileTime(entry.modifiedAt), endianness: .little) }
    }

    /// Ends the lists; their last parts can be taken then.
    mutating func finish() {
        extend(.emptyStreams, by: emptyStreams.finish())
        extend(.emptyFiles, by: emptyFiles.finish())
    }

    /// The parts of a list since they were taken last.
    mutating func take(_ list: List) -> ByteBuffer {
        defer { parts[list.rawValue] = ByteBuffer() }
        return parts[list.rawValue]
    }

    private mutating func extend(_ list: List, by byte: UInt8?) {
        if let byte { extend(list) { $0.writeInteger(byte) } }
    }

    private mutating func extend(_ list: List, _ write: (inout ByteBuffer) -> Void) {
        let before = parts[list.rawValue].readableBytes
        write(&parts[list.rawValue])
        lengths[list.rawValue] += Int64(parts[list.rawValue].readableBytes - before)
    }

    /// The "Header" of what was planned, behind the bytes of the files.
    func header() -> [Piece] {
        var pieces: [Piece] = []
        var bytes = ByteBuffer(bytes: [Property.header])
        func put(_ list: List, as property: UInt8, behind attributes: [UInt8] = []) {
            bytes.writeInteger(property)
            bytes.writeNumber(Int64(attributes.count) + lengths[list.rawValue])
            bytes.writeBytes(attributes)
            pieces += [.bytes(bytes), .list(list)]
            bytes = ByteBuffer()
        }
        if streams > 0 {
            bytes.writeBytes([Property.mainStreamsInfo, Property.packInfo, 0, 1, Property.size])
            bytes.writeNumber(size)
            bytes.writeBytes([Property.end, Property.unpackInfo, Property.folder, 1, 0])
            // One coder with an id of one byte, which is "Copy".
            bytes.writeBytes([1, 1, 0, Property.codersUnpackSize])
            bytes.writeNumber(size)
            bytes.writeBytes([Property.end, Property.subStreamsInfo])
            if streams > 1 {
                bytes.writeInteger(Property.numUnpackStream)
                bytes.writeNumber(streams)
                bytes.writeInteger(Property.size)
                pieces += [.bytes(bytes), .list(.sizes)]
                bytes = ByteBuffer()
            }
            bytes.writeBytes([Property.end, Property.end])
        }
        bytes.writeInteger(Property.filesInfo)
        bytes.writeNumber(emptyStreams.count)
        if emptyFiles.count > 0 { put(.emptyStreams, as: Property.emptyStream) }
        if hasEmptyFile { put(.emptyFiles, as: Property.emptyFile) }
        put(.names, as: Property.names, behind: [0])
        put(.times, as: Property.modificationTime, behind: [1, 0])
        bytes.writeBytes([Property.end, Property.end])
        return pieces + [.bytes(bytes)]
    }

    /// What the archive begins with, given the size and the checksum of all pieces of the header.
    func signatureHeader(headerSize: Int64, headerCRC: UInt32) -> ByteBuffer {
        var start = ByteBuffer()
        start.writeMultipleIntegers(size, headerSize, headerCRC, endianness: .little)
        var crc = CRC32()
        crc.update(start)
        var bytes = ByteBuffer(bytes: Array("7z".utf8) + [0xBC, 0xAF, 0x27, 0x1C, 0, 4])
        bytes.writeInteger(crc.value, endianness: .little)
        bytes.writeBuffer(&start)
        return bytes
    }

    /// "Property IDs".
    private enum Property {
        static let end: UInt8 = 0x00
        static let header: UInt8 = 0x01
        static let mainStreamsInfo: UInt8 = 0x04
        static let filesInfo: UInt8 = 0x05
        static let packInfo: UInt8 = 0x06
        static let unpackInfo: UInt8 = 0x07
        static let subStreamsInfo: UInt8 = 0x08
        static let size: UInt8 = 0x09
        static let folder: UInt8 = 0x0B
        static let codersUnpackSize: UInt8 = 0x0C
        static let numUnpackStream: UInt8 = 0x0D
        static let emptyStream: UInt8 = 0x0E
        static let emptyFile: UInt8 = 0x0F
        static let names: UInt8 = 0x11
        static let modificationTime: UInt8 = 0x14
    }

    /// Tenths of microseconds since 1601.
    private static func fileTime(_ moment: Timestamp) -> UInt64 {
        let least: Int64 = -11_644_473_600_000_000
        // The year 30827, the last that Windows knows.
        let microseconds = min(max(moment.microseconds, least), Int64.max / 10 + least)
        return UInt64(microseconds - least) * 10
    }
}

/// A list of bits, the first of a byte in its highest one ("BIT").
private struct BitList {
    private(set) var count: Int64 = 0
    private var byte: UInt8 = 0

    /// Gives the byte that is full with this bit, if any is.
    mutating func append(_ bit: Bool) -> UInt8? {
        if bit { byte |= 0x80 >> UInt8(count % 8) }
        count += 1
        return count % 8 == 0 ? take() : nil
    }

    /// Gives the last byte, if it is not full.
    mutating func finish() -> UInt8? {
        count % 8 == 0 ? nil : take()
    }

    private mutating func take() -> UInt8 {
        defer { byte = 0 }
        return byte
    }
}

extension ByteBuffer {
    /// A "NUMBER": the first byte has a one for every byte behind it, then a zero, then the highest bits of the value.
    fileprivate mutating func writeNumber(_ value: Int64) {
        let value = UInt64(bitPattern: value)
        var extra = 0
        while extra < 8, value >> UInt64(7 * (extra + 1)) != 0 { extra += 1 }
        let ones = UInt8(truncatingIfNeeded: 0xFF00 >> extra)
        writeInteger(extra == 8 ? ones : ones | UInt8(truncatingIfNeeded: value >> UInt64(8 * extra)))
        for index in 0..<extra { writeInteger(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
