internal import CHiredis
import Glibc
import NIOCore
import StorageCore

/// A connection to Redis. hiredis connects, writes commands and reads replies; waiting is done here, so that a whole question has one
/// deadline, however slowly its answer drips. Only the name of a host is looked up without one (getaddrinfo(3) has none).
///
/// Blocks the thread that asks; for a pool's threads only. After a failure it is of no use any more.
// Only the thread that took it from the cache's list of resting connections uses it.
final class RedisConnection: @unchecked Sendable {
    /// More than any answer that is expected has.
    private static let longest = Int(Int64.smallBlob) + 4_096

    private let context: UnsafeMutablePointer<redisContext>
    private var buffer = [UInt8](repeating: 0, count: 16_384)

    private init(_ context: UnsafeMutablePointer<redisContext>) {
        self.context = context
    }

    deinit {
        redisFree(context)
    }

    /// Connects, signs in, and selects the database.
    static func connect(
        to address: RedisAddress, until deadline: NIODeadline
    ) throws(RedisFailure) -> RedisConnection {
        let context =
            switch address.place {
            case .host(let name, let port): redisConnectNonBlock(name, CInt(port))
            case .socket(let path): redisConnectUnixNonBlock(path)
            }
        guard let context else { throw .gone("no memory for a connection") }
        let connection = RedisConnection(context)
        guard context.pointee.err == 0 else { throw .gone(connection.complaint) }
        try connection.waitUntilConnected(deadline, isTCP: address.place.isTCP)
        if let password = address.password {
            let user = address.user.map { [$0] } ?? []
            try connection.prepare([Array("AUTH".utf8)] + user + [password], until: deadline)
        }
        if address.database != 0 {
            try connection.prepare([Array("SELECT".utf8), Array("\(address.database)".utf8)], until: deadline)
        }
        return connection
    }

    private func prepare(_ command: [[UInt8]], until deadline: NIODeadline) throws(RedisFailure) {
        switch try ask(command, until: deadline) {
        case .status: return
        case .refused(let error): throw .refused(error)
        default: throw .malformed
        }
    }

    /// Whether a connection that rested seems to be as it was: one that has something to read has ended, or answers unasked.
    var isQuiet: Bool {
        var entry = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 0
    }

    /// Sends a command and waits for its reply, which may be an error of Redis' own.
    func ask(_ command: [[UInt8]], until deadline: NIODeadline) throws(RedisFailure) -> RedisReply {
        try send(command, until: deadline)
        return try receive(until: deadline)
    }

    // MARK: Sending

    private func send(_ command: [[UInt8]], until deadline: NIODeadline) throws(RedisFailure) {
        let bytes = Array(command.joined())
        let lengths = command.map(\.count)
        var text: UnsafeMutablePointer<CChar>?
        let count = bytes.withUnsafeBytes { bytes -> CInt in
            var position = 0
            // An address for the empty argument as well: nothing is read there.
            let base = bytes.baseAddress ?? UnsafeRawPointer(context)
            var arguments = lengths.map { length -> UnsafePointer<CChar>? in
                defer { position += length }
                return (base + position).assumingMemoryBound(to: CChar.self)
            }
            return redisFormatCommandArgv(&text, CInt(lengths.count), &arguments, lengths)
        }
        guard count > 0, let text else { throw .gone("no memory for a command") }
        defer { redisFreeCommand(text) }
        var sent = 0
        while sent < Int(count) {
            let result = Glibc.send(
                context.pointee.fd, text + sent, Int(count) - sent, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
            if result > 0 {
                sent += result
            } else {
                try wait(for: POLLOUT, after: errno, until: deadline)
            }
        }
    }

    // MARK: Receiving

    private func receive(until deadline: NIODeadline) throws(RedisFailure) -> RedisReply {
        guard let reader = redisReaderCreate() else { throw .gone("no memory for a reply") }
        defer { redisReaderFree(reader) }
        var received = 0
        while true {
            let count = recv(context.pointee.fd, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            guard count != 0 else { throw .gone("the connection ended") }
            guard count > 0 else {
                try wait(for: POLLIN, after: errno, until: deadline)
                continue
            }
            // What has parts is never asked for, and could make hiredis reserve whatever the other side says.
            if received == 0, !"+-:$".utf8.contains(buffer[0]) { throw .malformed }
            received += count
            guard received <= Self.longest, feed(reader, count) == REDIS_OK else { throw .malformed }
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw .malformed }
            guard let reply else { continue }
            defer { freeReplyObject(reply) }
            // More than one answer to one question.
            guard reader.pointee.pos == reader.pointee.len else { throw .malformed }
            return try Self.value(of: reply.assumingMemoryBound(to: redisReply.self).pointee)
        }
    }

    /// Hands the first bytes of the buffer to the reader, which copies them.
    private func feed(_ reader: UnsafeMutablePointer<redisReader>, _ count: Int) -> CInt {
        buffer.withUnsafeBytes { redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), count) }
    }

    private static func value(of reply: redisReply) throws(RedisFailure) -> RedisReply {
        let text = UnsafeRawBufferPointer(start: reply.str, count: reply.str == nil ? 0 : Int(reply.len))
        switch reply.type {
        case REDIS_REPLY_NIL: return .nothing
        case REDIS_REPLY_STATUS: return .status
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_STRING: return .bytes(ByteBuffer(bytes: text))
        case REDIS_REPLY_ERROR: return .refused(RedisReply.name(ofError: text))
        default: throw .malformed
        }
    }

    /// The beginning of a text of hiredis, fit for a log.
    private static func printable(_ text: UnsafeRawBufferPointer) -> String {
        String(decoding: text.prefix(120).map { 0x20..<0x7F ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    // MARK: Waiting

    private func waitUntilConnected(_ deadline: NIODeadline, isTCP: Bool) throws(RedisFailure) {
        try wait(for: POLLOUT, after: EAGAIN, until: deadline)
        var (failure, size) = (CInt(0), socklen_t(MemoryLayout<CInt>.size))
        guard getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0, failure == 0 else {
            throw .gone(Self.text(of: failure))
        }
        guard isTCP else { return }
        var yes: CInt = 1
        _ = setsockopt(
            context.pointee.fd, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Waits after a call that could not go on.
    private func wait(for events: CInt, after failure: CInt, until deadline: NIODeadline) throws(RedisFailure) {
        guard failure == EAGAIN || failure == EWOULDBLOCK || failure == EINTR else {
            throw .gone(Self.text(of: failure))
        }
        while true {
            let left = (deadline - .now()).nanoseconds
            guard left > 0 else { throw .late }
            var entry = pollfd(fd: context.pointee.fd, events: Int16(events), revents: 0)
            let milliseconds = CInt(clamping: left / 1_000_000 + 1)
            let result = poll(&entry, 1, milliseconds)
            if result > 0 { return }
            if result < 0, errno != EINTR { throw .gone(Self.text(of: errno)) }
        }
    }

    private var complaint: String {
        withUnsafeBytes(of: context.pointee.errstr) {
            Self.printable(UnsafeRawBufferPointer(rebasing: $0.prefix { $0 != 0 }))
        }
    }

    private static func text(of failure: CInt) -> String {
        strerror(failure).map { String(cString: $0) } ?? "error \(failure)"
    }
}

extension RedisAddress.Place {
    fileprivate var isTCP: Bool {
        if case .host = self { true } else { false }
    }
}
