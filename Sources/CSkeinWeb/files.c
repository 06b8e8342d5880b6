// SPDX-License-Identifier: Apache-2.0
// Everything in `web/`, one pair of an array and a table row a file. The compiler reads the files themselves, and
// notices when one has changed; a test notices when one is missing here.
#include "CSkeinWeb.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wc23-extensions"
#endif

static const unsigned char api_js[] = {
#embed "../../web/api.js"
};

static const unsigned char app_js[] = {
#embed "../../web/app.js"
};

static const unsigned char base_css[] = {
#embed "../../web/base.css"
};

static const unsigned char explore_css[] = {
#embed "../../web/explore.css"
};

static const unsigned char explore_explore_js[] = {
#embed "../../web/explore/explore.js"
};

static const unsigned char favicon_svg[] = {
#embed "../../web/favicon.svg"
};

static const unsigned char index_html[] = {
#embed "../../web/index.html"
};

static const unsigned char lib_format_js[] = {
#embed "../../web/lib/format.js"
};

static const unsigned char lib_icons_js[] = {
#embed "../../web/lib/icons.js"
};

static const unsigned char lib_keys_js[] = {
#embed "../../web/lib/keys.js"
};

static const unsigned char lib_range_js[] = {
#embed "../../web/lib/range.js"
};

static const unsigned char lib_rows_js[] = {
#embed "../../web/lib/rows.js"
};

static const unsigned char lib_url_js[] = {
#embed "../../web/lib/url.js"
};

static const unsigned char lib_view_js[] = {
#embed "../../web/lib/view.js"
};

static const unsigned char settings_js[] = {
#embed "../../web/settings.js"
};

static const unsigned char shell_js[] = {
#embed "../../web/shell.js"
};

static const unsigned char theme_js[] = {
#embed "../../web/theme.js"
};

static const unsigned char trace_css[] = {
#embed "../../web/trace.css"
};

static const unsigned char trace_trace_js[] = {
#embed "../../web/trace/trace.js"
};

#define FILE(name, array) {name, array, sizeof array}

static const struct skein_web_file files[] = {
    FILE("api.js", api_js),
    FILE("app.js", app_js),
    FILE("base.css", base_css),
    FILE("explore.css", explore_css),
    FILE("explore/explore.js", explore_explore_js),
    FILE("favicon.svg", favicon_svg),
    FILE("index.html", index_html),
    FILE("lib/format.js", lib_format_js),
    FILE("lib/icons.js", lib_icons_js),
    FILE("lib/keys.js", lib_keys_js),
    FILE("lib/range.js", lib_range_js),
    FILE("lib/rows.js", lib_rows_js),
    FILE("lib/url.js", lib_url_js),
    FILE("lib/view.js", lib_view_js),
    FILE("settings.js", settings_js),
    FILE("shell.js", shell_js),
    FILE("theme.js", theme_js),
    FILE("trace.css", trace_css),
    FILE("trace/trace.js", trace_trace_js),
};

const struct skein_web_file *skein_web_files(size_t *count) {
    *count = sizeof files / sizeof *files;
    return files;
}
