#pragma once

// The files of Swagger UI that scripts/swagger-ui fetched before this was compiled, each as one gzip stream (RFC 1952).

#include <stddef.h>

/// Bytes that are there as long as the program runs; none, and a null pointer, where the build had no such file.
struct swagger_ui_file {
    const void *bytes;
    size_t count;
};

/// swagger-ui-bundle.js
struct swagger_ui_file swagger_ui_script(void);
/// swagger-ui.css
struct swagger_ui_file swagger_ui_style(void);
