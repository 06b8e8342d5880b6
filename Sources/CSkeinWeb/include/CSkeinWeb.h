// SPDX-License-Identifier: Apache-2.0
#ifndef CSKEINWEB_H
#define CSKEINWEB_H

#include <stddef.h>

/// One file of `web/`, in the read-only data of the binary: valid, and unchanged, for as long as the process lives.
struct skein_web_file {
    /// Below `web/`, with `/` between folders: `trace/model.js`.
    const char *path;
    const unsigned char *bytes;
    size_t count;
};

/// All files, `*count` of them, in no particular order.
const struct skein_web_file *skein_web_files(size_t *count);

#endif
