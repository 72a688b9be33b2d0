import NIOCore
import Testing

@testable import StorageCore

@Suite("What is believed of a shared cache")
struct TrustedCacheTests {
    private let shared = InMemorySharedCache()
    private let subject: [UInt8] = [1, 2, 3]

    private func trusted(_ key: UInt8 = 7) -> TrustedCache {
        TrustedCache(shared, key: [UInt8](repeating: key, count: 32))
    }

    @Test("is what somebody with the same key put under the same name")
    func sealed() async throws {
        let name = try #require(trusted().name(.principal, subject))
        #expect(await trusted().sealed(name) == nil)
        trusted().seal([9, 9], as: name, lifetime: .seconds(60))
        #expect(await trusted().sealed(name) == [9, 9])
        #expect(trusted(8).name(.principal, subject) != name)
        #expect(trusted().name(.rate, subject) != name)
        #expect(await trusted(8).sealed(name) == nil)
    }

    @Test("is no value from under another name, none that was changed, and none that is too short")
    func forged() async throws {
        let name = try #require(trusted().name(.principal, subject))
        let other = try #require(trusted().name(.principal, [4]))
        trusted().seal([9, 9], as: name, lifetime: .seconds(60))
        let value = try #require(await shared.value(for: name))
        shared.set(value, for: other, lifetime: .seconds(60))
        #expect(await trusted().sealed(other) == nil)
        for position in 0..<value.readableBytes {
            var changed = value
            changed.setInteger(changed.getInteger(at: position, as: UInt8.self)! ^ 1, at: position)
            shared.set(changed, for: name, lifetime: .seconds(60))
            #expect(await trusted().sealed(name) == nil)
        }
        for count in 0..<value.readableBytes {
            shared.set(value.getSlice(at: 0, length: count)!, for: name, lifetime: .seconds(60))
            #expect(await trusted().sealed(name) == nil)
        }
    }

    @Test("goes by one key for all who have the same database")
    func oneKey() async throws {
        let metadata = InMemoryMetadataStore()
        let one = try await TrustedCache(shared, metadata: metadata)
        let two = try await TrustedCache(shared, metadata: metadata)
        let other = try await TrustedCache(shared, metadata: InMemoryMetadataStore())
        #expect(one.name(.blob, subject) == two.name(.blob, subject))
        #expect(one.name(.blob, subject) != other.name(.blob, subject))
    }

    @Test("a principal is the same after it was written and read")
    func record() throws {
        for (login, credential, limits) in [
            (Array("ann".utf8), CredentialID(), ContainerLimits(bytes: 7)),
            ([UInt8](repeating: 0x61, count: 255), nil, .unlimited(files: 3)), (nil, CredentialID(), .none),
        ] as [([UInt8]?, CredentialID?, ContainerLimits)] {
            let account = Account(
                id: AccountID(), serial: 12, kind: login == nil ? .token : .registered, role: .admin,
                login: login.map { Login(stored: $0) }, createdAt: Timestamp(microseconds: -5), disabledAt: nil,
                container: Container(
                    id: ContainerID(), space: Space(id: .random()), keepsRevisions: true, limits: limits))
            let principal = Principal(identity: .account(account), credential: credential)
            let record = try #require(
                PrincipalRecord(principal: principal, readAt: Timestamp(microseconds: 1_234_567)))
            let bytes = record.bytes
            #expect(PrincipalRecord(bytes: bytes) == record)
            for count in bytes.indices { #expect(PrincipalRecord(bytes: Array(bytes[..<count])) == nil) }
            #expect(PrincipalRecord(bytes: bytes + [0]) == nil)
            for position in bytes.indices {
                var changed = bytes
                changed[position] ^= 0xFF
                #expect(PrincipalRecord(bytes: changed) != record)
            }
        }
        let new = Principal(identity: .newContainer(try AccessToken().digest))
        #expect(PrincipalRecord(principal: new, readAt: Timestamp(microseconds: 0)) == nil)
    }
}

extension ContainerLimits {
    fileprivate static func unlimited(files: Int64) -> ContainerLimits {
        ContainerLimits(bytes: unlimited, files: files)
    }
}
