#include "CSwaggerUI.h"

#define SCRIPT "../../.build-tools/swagger-ui/swagger-ui-bundle.js.gz"
#define STYLE "../../.build-tools/swagger-ui/swagger-ui.css.gz"

// #embed is of C23; the compilers that a Swift toolchain comes with know it in every mode. The two are there together, or neither is.
#ifdef __has_embed
#if __has_embed(SCRIPT) == __STDC_EMBED_FOUND__ && __has_embed(STYLE) == __STDC_EMBED_FOUND__
#define HAS_SWAGGER_UI
#endif
#endif

#ifdef HAS_SWAGGER_UI
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char script[] = {
#embed SCRIPT
};

static const unsigned char style[] = {
#embed STYLE
};

struct swagger_ui_file swagger_ui_script(void) { return (struct swagger_ui_file){script, sizeof script}; }
struct swagger_ui_file swagger_ui_style(void) { return (struct swagger_ui_file){style, sizeof style}; }
#else
struct swagger_ui_file swagger_ui_script(void) { return (struct swagger_ui_file){NULL, 0}; }
struct swagger_ui_file swagger_ui_style(void) { return (struct swagger_ui_file){NULL, 0}; }
#endif
