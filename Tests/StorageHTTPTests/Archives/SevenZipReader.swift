import NIOCore

@testable import StorageHTTP

/// Reads 7z archives of stored entries strictly.
enum SevenZipReader {
    private struct Lists {
        var sizes: [Int] = []
        var emptyStreams: [Bool] = []
        var emptyFiles: [Bool] = []
        var names: [[UInt8]] = []
        var times: [Int64] = []
    }

    /// All entries with their bytes.
    static func read(_ archive: ByteBuffer) throws -> [UnpackedEntry] {
        var rest = archive
        guard rest.readBytes(length: 8) == [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4] else {
            throw MalformedArchive("no signature")
        }
        let startCRC = try rest.take(UInt32.self)
        try MalformedArchive.check(try crc(rest.getSlice(at: 12, length: 20)) == startCRC, "the start's checksum")
        let (offset, size, headerCRC) = try rest.take(UInt64.self, UInt64.self, UInt32.self)
        guard var contents = rest.readSlice(length: Int(offset)) else { throw MalformedArchive("cut off") }
        try MalformedArchive.check(rest.readableBytes == size, "the size of the header")
        try MalformedArchive.check(try crc(rest) == headerCRC, "the header's checksum")
        let lists = try header(&rest, offset: Int(offset))
        var (sizes, emptyFiles) = (lists.sizes[...], lists.emptyFiles[...])
        let entries = try lists.names.enumerated().map { index, name in
            let isEmpty = lists.emptyStreams.isEmpty ? false : lists.emptyStreams[index]
            let isFolder = isEmpty && !(emptyFiles.popFirst() ?? false)
            let bytes = contents.readSlice(length: isEmpty ? 0 : sizes.popFirst() ?? -1)
            try MalformedArchive.check(bytes != nil, "fewer bytes than there should be")
            return UnpackedEntry(name: name, bytes: isFolder ? nil : bytes, modified: lists.times[index])
        }
        try MalformedArchive.check(contents.readableBytes == 0 && sizes.isEmpty, "bytes of nobody")
        return entries
    }

    private static func crc(_ bytes: ByteBuffer?) throws -> UInt32 {
        guard let bytes else { throw MalformedArchive("cut off") }
        var crc = CRC32()
        crc.update(bytes)
        return crc.value
    }

    private static func header(_ rest: inout ByteBuffer, offset: Int) throws -> Lists {
        var lists = Lists()
        try rest.expect([0x01])
        if rest.readableBytesView.first == 0x04 {
            try rest.expect([0x04, 0x06, 0, 1, 0x09])
            try MalformedArchive.check(try rest.number() == offset, "the packed size")
            try rest.expect([0x00, 0x07, 0x0B, 1, 0, 1, 1, 0, 0x0C])
            try MalformedArchive.check(try rest.number() == offset, "the unpacked size")
            try rest.expect([0x00, 0x08])
            var count = 1
            if rest.readableBytesView.first == 0x0D {
                try rest.expect([0x0D])
                count = try rest.number()
                try rest.expect([0x09])
            }
            for _ in 1..<count { lists.sizes.append(try rest.number()) }
            lists.sizes.append(offset - lists.sizes.reduce(0, +))
            try rest.expect([0x00, 0x00])
        }
        try rest.expect([0x05])
        try files(&rest, count: try rest.number(), &lists)
        try rest.expect([0x00])
        try MalformedArchive.check(rest.readableBytes == 0, "something behind the header")
        return lists
    }

    private static func files(_ rest: inout ByteBuffer, count: Int, _ lists: inout Lists) throws {
        while let property = rest.readInteger(as: UInt8.self), property != 0 {
            let size = try rest.number()
            guard var value = rest.readSlice(length: size) else { throw MalformedArchive("cut off") }
            switch property {
            case 0x0E: lists.emptyStreams = try value.bits(count)
            case 0x0F: lists.emptyFiles = try value.bits(lists.emptyStreams.filter { $0 }.count)
            case 0x11:
                try value.expect([0])
                for _ in 0..<count { lists.names.append(try value.name()) }
            case 0x14:
                try value.expect([1, 0])
                lists.times = try (0..<count).map { _ in
                    Int64(try value.take(UInt64.self) / 10_000_000) - 11_644_473_600
                }
            default: throw MalformedArchive("the property \(property)")
            }
            try MalformedArchive.check(value.readableBytes == 0, "the property \(property) is too long")
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func expect(_ bytes: [UInt8]) throws {
        try MalformedArchive.check(readBytes(length: bytes.count) == bytes, "not \(bytes)")
    }

    /// A number as 7zFormat.txt describes it: as many bytes follow the first as that has ones in front.
    fileprivate mutating func number() throws -> Int {
        let first = try take(UInt8.self)
        let count = (~first).leadingZeroBitCount
        var value = count < 7 ? UInt64(first & (0x7F >> UInt8(count))) << UInt64(8 * count) : 0
        for index in 0..<count {
            let byte = try take(UInt8.self)
            value |= UInt64(byte) << UInt64(8 * index)
        }
        return Int(value)
    }

    fileprivate mutating func bits(_ count: Int) throws -> [Bool] {
        guard let bytes = readBytes(length: (count + 7) / 8) else { throw MalformedArchive("cut off") }
        return (0..<count).map { index in (bytes[index / 8] << (index % 8)) & 0x80 != 0 }
    }

    fileprivate mutating func name() throws -> [UInt8] {
        var units: [UInt16] = []
        while case let unit = try take(UInt16.self), unit != 0 { units.append(unit) }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }
}
