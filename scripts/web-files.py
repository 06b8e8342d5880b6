#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Sources/CSkeinWeb/files.c anew: what lies in web/ goes into the binary, its tests aside."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
FILES = ROOT / "Sources" / "CSkeinWeb" / "files.c"

names = sorted(
    str(path.relative_to(WEB))
    for path in WEB.rglob("*.*")
    if path.is_file() and path.relative_to(WEB).parts[0] != "tests" and path.name != "package.json" and path.name[0] != "."
)
array = {name: re.sub(r"\W", "_", name) for name in names}
text = FILES.read_text()
head = text[: text.index("static const unsigned char ")]
tail = text[text.index("const struct skein_web_file *skein_web_files") :]
FILES.write_text(
    head
    + "".join(f'static const unsigned char {array[name]}[] = {{\n#embed "../../web/{name}"\n}};\n\n' for name in names)
    + "#define FILE(name, array) {name, array, sizeof array}\n\nstatic const struct skein_web_file files[] = {\n"
    + "".join(f'    FILE("{name}", {array[name]}),\n' for name in names)
    + "};\n\n"
    + tail
)
