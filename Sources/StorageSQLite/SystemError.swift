#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the system said about a file; for operators only.
struct SystemError: Error, CustomStringConvertible {
    let path: String
    let number: Int32

    /// Takes the error number of the call that just failed.
    init(_ path: String) {
        number = errno
        self.path = path
    }

    var description: String { "\(path): \(String(cString: strerror(number)))" }
}
