#pragma once
#include <zlib.h>

/// Begins a deflate stream; `deflateInit2` is a macro, which Swift cannot see.
static inline int zlib_deflate_begin(z_stream *stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}

/// Begins to read a gzip stream; `inflateInit2` is a macro, too.
static inline int zlib_inflate_begin(z_stream *stream) {
    return inflateInit2(stream, MAX_WBITS + 16);
}
