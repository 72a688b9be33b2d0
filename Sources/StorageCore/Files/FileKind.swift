/// The four sorts that listings can be narrowed to.
public enum FileKind: String, Hashable, Sendable, CaseIterable {
    /// Pictures.
    case image
    /// Sound and moving pictures.
    case media
    /// Text to read, source code included.
    case text
    /// Everything else.
    case other
}
