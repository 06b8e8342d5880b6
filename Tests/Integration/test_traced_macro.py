# SPDX-License-Identifier: Apache-2.0
"""What the compiler says of `@Traced` where it cannot work, and that it says nothing where it can."""

import re
import shutil
import subprocess

import pytest

# Source, then what is said: the text that the error points at, and its message.
CASES = {
    "what can be traced": ('@Traced(attributes: [.argument("id"), .result]) func f(_ id: Int) -> Int { id }', []),
    "an argument named like a keyword": ('@Traced(attributes: [.argument("default")]) func f(`default`: Int) {}', []),
    "an initializer": (
        "struct S { @Traced init() {} }",
        [("@Traced", "@Traced does not work on an initializer: move what is to be traced into a function")],
    ),
    "a misspelled argument": (
        '@Traced(attributes: [.argument("usrID")]) func f(_ userID: Int, to name: Int) {}',
        [('"usrID"', "'f' has no argument 'usrID'; did you mean 'userID'?")],
    ),
    "the label instead of the name": (
        '@Traced(attributes: [.argument("for")]) func f(for identifier: Int) {}',
        [('"for"', "'f' has no argument 'for'; did you mean 'identifier'?")],
    ),
    "no name that is near": (
        '@Traced(attributes: [.argument("color")]) func f(_ a: Int, _ b: Int) {}',
        [('"color"', "'f' has no argument 'color'; it has 'a', 'b'")],
    ),
    "two attributes of one key": (
        '@Traced(attributes: [.argument("a"), .argument("b", as: "a")]) func f(a: Int, b: Int) {}',
        [('"b"', "there is an attribute 'a' already: give this one another name with 'as:'")],
    ),
    "a list that is not written there": (
        "let list: [TracedAttribute] = []; @Traced(attributes: list) func f() {}",
        [("list", "the attributes are read by the compiler: write them as a list")],
    ),
    "a result of nothing": (
        "@Traced(attributes: [.result]) func f() {}",
        [(".result", "'f' gives nothing back that could be an attribute")],
    ),
}


def diagnose(binary, folder, source):
    """(text pointed at, message) of each error of ours."""
    file = folder / "traced.swift"
    file.write_text(f"import SkeinMacros\n{source}\n")
    # The plugin stands beside the binary, or, where tools are built apart, with `-tool` behind its name.
    plugin = next(p for p in (binary.parent / "SkeinMacroPlugin-tool", binary.parent / "SkeinMacroPlugin") if p.exists())
    command = [
        shutil.which("swiftc"), "-typecheck", "-swift-version", "6", "-I", binary.parent / "Modules",
        "-load-plugin-executable", f"{plugin}#SkeinMacroPlugin", file,
    ]  # fmt: skip
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    found = []
    for line in done.stderr.splitlines():
        place, _, message = line.partition(": error: ")
        if message and str(file) in place:
            row, column = map(int, place.rsplit(":", 2)[1:])
            found.append((source.splitlines()[row - 2][column - 1 :], re.sub(r" \(from macro 'Traced ?'\)$", "", message)))
    assert found or done.returncode == 0, done.stderr
    return found


@pytest.mark.parametrize("name", CASES)
def test_mistakes_are_named_where_they_are(binary, folder, name):
    source, wanted = CASES[name]
    found = diagnose(binary, folder, source)
    assert [message for _, message in found] == [message for _, message in wanted]
    assert all(at.startswith(text) for (at, _), (text, _) in zip(found, wanted)), found
