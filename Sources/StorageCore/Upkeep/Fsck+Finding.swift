extension Fsck {
    /// Something that is not as it must be.
    public struct Finding: Hashable, Sendable {
        /// The sorts of findings.
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// A live blob has no bytes in the store.
            case missing
            /// A live blob has more or fewer bytes than recorded.
            case wrongSize = "wrong_size"
            /// A live blob has as many bytes as recorded, but others: only found by reading them.
            case wrongDigest = "wrong_digest"
            /// The store fails when it is asked for a live blob or its bytes.
            case unreadable
            /// A file refers to bytes that were found damaged, or that are being deleted.
            case damaged
            /// A live blob that nothing refers to will never be collected.
            case leaked
            /// Bytes that nothing will ever refer to are still there: of a blob that was collected, or of an upload that ended.
            case leftOver = "left_over"
            /// Bytes lie under a key that no row knows.
            case unknown
            /// Something lies in the store that is no blob.
            case unrecognised
            /// A blob or an upload waits for upkeep longer than its limit.
            case stuck
            /// A container's counts are not those of its files.
            case miscounted
            /// What lookups tell of files is not what their current revisions say.
            case miscopied
        }

        /// What is wrong.
        public let kind: Kind
        /// What it is wrong with: the name of a blob or of another file in the store, or the id of a container.
        public let subject: String
        /// What was expected and what was found, for people.
        public let detail: String

        /// Describes what is wrong.
        init(_ kind: Kind, of subject: String, _ detail: String) {
            self.kind = kind
            self.subject = subject
            self.detail = detail
        }
    }

    /// What is wrong with a container.
    static func findings(in container: ContainerInspection) -> [Finding] {
        var findings: [Finding] = []
        func text(_ usage: Usage, _ reserved: Int64) -> String {
            "\(usage.bytes) bytes in \(usage.files) files, \(usage.revisionBytes) in older revisions, \(reserved) set aside"
        }
        if !container.isExact {
            findings.append(
                Finding(
                    .miscounted, of: container.id.description,
                    "recorded: \(text(container.recorded, container.recordedReservations)); "
                        + "counted: \(text(container.counted, container.countedReservations))"))
        }
        if container.miscopiedFiles > 0 {
            findings.append(
                Finding(
                    .miscopied, of: container.id.description,
                    "\(container.miscopiedFiles) files say something else of their current revision than it says itself"
                ))
        }
        if let silence = container.longestSilence, silence > Limit.silence {
            findings.append(
                Finding(
                    .stuck, of: container.id.description,
                    "an upload has given no sign of life for \(hours(silence)), and was not swept"))
        }
        return findings
    }

    /// What is wrong with something in the store that is no blob: that it is there.
    static func finding(of stray: Stray) -> Finding {
        switch stray.origin {
        case .foreign: Finding(.unrecognised, of: stray.text, "no blob has such a name")
        case .abandonedUpload: Finding(.leftOver, of: stray.text, "an upload that ended left it more than a day ago")
        }
    }

    /// A duration for people, in whole hours.
    static func hours(_ microseconds: Int64) -> String { "\(microseconds / 3_600_000_000) hours" }
}
