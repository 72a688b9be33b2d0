/// A setting that has its place in the design, but no code behind it in this build.
///
/// A part that somebody configured and that is not there must never be a silent default: such a key is an error, wherever it is given.
struct UnavailableKey: Sendable {
    let name: String

    /// What this build does not have, and what to do about it.
    static let absence = "this build does not have this setting; remove it"

    static let all = ["scrub.rate", "scrub.period"].map(UnavailableKey.init)

    var environmentName: String { name.environmentSpelling }
    var flag: String { name.flagSpelling }
}
