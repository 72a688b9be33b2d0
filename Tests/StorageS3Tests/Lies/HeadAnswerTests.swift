import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageS3

@Suite("Answers to HEAD with bytes behind them")
struct HeadAnswerTests {
    private let s3 = ScriptedS3()

    /// As OpenStack Swift: no conditional PUT, and the last chunk of a body behind `404` to HEAD.
    private func beSwift(_ lastChunk: ScriptedAnswer.LastChunk) {
        s3.lie { request, _, honest in
            if honest.status == 412 { return .error(501, "NotImplemented") }
            guard request.method == "HEAD", honest.status == 404 else { return honest }
            var answer = honest
            answer.lastChunk = lastChunk
            return answer
        }
    }

    @Test(
        "bytes behind an answer that has no body cost no request another attempt",
        arguments: ScriptedAnswer.LastChunk.allCases)
    func lastChunk(_ lastChunk: ScriptedAnswer.LastChunk) async throws {
        beSwift(lastChunk)
        try await s3.withStore { store in
            #expect(!store.facts.hasConditionalPut)
            for seed in 1...50 {
                let staged = try await store.stage(ByteStream(.random(count: 1_000, seed: UInt64(seed))))
                let key = BlobKey(space: .shared, digest: staged.digest)
                try await store.publish(staged, as: key)
                await store.discard(staged)
            }
            #expect(s3.count("PutObject") == 50)
            #expect(s3.count("HeadObject") == 100)
            for _ in 1...20 {
                let info = try await store.info(for: BlobKey(space: .shared, digest: .random()))
                #expect(info == nil)
            }
            #expect(s3.count("HeadObject") == 120)
            #expect(s3.count("HeadBucket") == 20)
        }
    }
}
