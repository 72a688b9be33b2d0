#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file descriptor that closes itself with its last reference.
public final class OpenFile: Sendable {
    /// The descriptor; valid for as long as this object lives.
    public let descriptor: CInt

    /// Takes over a descriptor; the caller must not close it.
    public init(adopting descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}
