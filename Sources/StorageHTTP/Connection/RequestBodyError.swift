/// Why a request body could not be read to its end.
///
/// Thrown by the iterator of `Request.body` on a ``StorageHTTP1Channel``. Whatever of the body arrived before must be
/// treated as not received: the iterator returns `nil` only after the last byte of a complete body, never after a short
/// one.
public enum RequestBodyError: Error, Sendable, Equatable {
    /// The bytes break the framing of RFC 9112 section 7 (a bad chunk, too large trailers). Answer 400; the connection
    /// ends after it.
    case malformed

    /// The client, or this server in shutting down, ended the connection before the body was complete. Nobody may read
    /// an answer.
    case endedEarly

    /// The client sent more slowly than ``ConnectionLimits/bodyRate``. Answer 408; the connection ends after it.
    case tooSlow

    /// Two tasks asked for the next bytes at once. A body belongs to one reader.
    case concurrentReaders
}
