import NIOCore

/// A principal with an account, and when it was read, as bytes.
struct PrincipalRecord: Equatable {
    private static let version: UInt8 = 1

    let principal: Principal
    /// The database's clock.
    let readAt: Timestamp

    /// nil for a principal without an account, or one that is disabled.
    init?(principal: Principal, readAt: Timestamp) {
        guard let account = principal.account, account.disabledAt == nil else { return nil }
        self.principal = principal
        self.readAt = readAt
    }

    /// The bytes that ``init(bytes:)`` reads.
    var bytes: [UInt8] {
        guard let account = principal.account else { return [] }
        var buffer = ByteBuffer()
        buffer.writeInteger(Self.version)
        buffer.writeInteger(readAt.microseconds)
        buffer.write(principal.credential)
        buffer.write(account.id)
        buffer.writeInteger(account.serial)
        buffer.write(account.kind.rawValue.utf8)
        buffer.write(account.role.rawValue.utf8)
        buffer.writeInteger(UInt8(account.login == nil ? 0 : 1))
        buffer.write(account.login?.bytes ?? [])
        buffer.writeInteger(account.createdAt.microseconds)
        buffer.write(account.container.id)
        buffer.write(account.container.space.id)
        buffer.writeInteger(UInt8(account.container.keepsRevisions ? 1 : 0))
        buffer.write(account.container.limits.bytes)
        buffer.write(account.container.limits.files)
        return Array(buffer.readableBytesView)
    }

    /// Reads what ``bytes`` is; nil for everything else.
    init?(bytes: [UInt8]) {
        var buffer = ByteBuffer(bytes: bytes)
        guard buffer.readInteger(as: UInt8.self) == Self.version, let readAt = buffer.readInteger(as: Int64.self),
            let credential = buffer.readOptional({ $0.readIdentifier(of: StoredCredential.self) }),
            let id = buffer.readIdentifier(of: Account.self), let serial = buffer.readInteger(as: Int64.self),
            let kind = buffer.readText().flatMap({ Account.Kind(rawValue: $0) }),
            let role = buffer.readText().flatMap({ Account.Role(rawValue: $0) }),
            let hasLogin = buffer.readInteger(as: UInt8.self), let login = buffer.readShort(),
            let createdAt = buffer.readInteger(as: Int64.self),
            let container = buffer.readIdentifier(of: Container.self),
            let space = buffer.readIdentifier(of: Container.self), let keeps = buffer.readInteger(as: UInt8.self),
            let limit = buffer.readOptional({ $0.readInteger(as: Int64.self) }),
            let files = buffer.readOptional({ $0.readInteger(as: Int64.self) }), buffer.readableBytes == 0,
            hasLogin <= 1, keeps <= 1
        else { return nil }
        let account = Account(
            id: id, serial: serial, kind: kind, role: role, login: hasLogin == 1 ? Login(stored: login) : nil,
            createdAt: Timestamp(microseconds: createdAt), disabledAt: nil,
            container: Container(
                id: container, space: Space(id: space), keepsRevisions: keeps == 1,
                limits: ContainerLimits(bytes: limit, files: files)))
        principal = Principal(identity: .account(account), credential: credential)
        self.readAt = Timestamp(microseconds: readAt)
    }
}

extension ByteBuffer {
    fileprivate mutating func write<Entity>(_ identifier: Identifier<Entity>) {
        writeInteger(identifier.high)
        writeInteger(identifier.low)
    }

    fileprivate mutating func write<Entity>(_ identifier: Identifier<Entity>?) {
        writeInteger(UInt8(identifier == nil ? 0 : 1))
        if let identifier { write(identifier) }
    }

    fileprivate mutating func write(_ number: Int64?) {
        writeInteger(UInt8(number == nil ? 0 : 1))
        if let number { writeInteger(number) }
    }

    /// At most 255 bytes, as a login has.
    fileprivate mutating func write(_ bytes: some Collection<UInt8>) {
        writeInteger(UInt8(truncatingIfNeeded: bytes.count))
        writeBytes(bytes)
    }

    fileprivate mutating func readIdentifier<Entity>(of: Entity.Type) -> Identifier<Entity>? {
        guard let high = readInteger(as: UInt64.self), let low = readInteger(as: UInt64.self) else { return nil }
        return Identifier(high: high, low: low)
    }

    fileprivate mutating func readShort() -> [UInt8]? {
        readInteger(as: UInt8.self).flatMap { readBytes(length: Int($0)) }
    }

    fileprivate mutating func readText() -> String? {
        readShort().flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// nil for what is malformed; a nil inside for what is left out.
    fileprivate mutating func readOptional<Value>(_ read: (inout ByteBuffer) -> Value?) -> Value?? {
        switch readInteger(as: UInt8.self) {
        case 0: return .some(nil)
        case 1: return read(&self).map { .some($0) }
        default: return nil
        }
    }
}
