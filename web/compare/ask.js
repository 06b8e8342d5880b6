// SPDX-License-Identifier: Apache-2.0
// Compare without two traces yet: how to mark them, and fields for their ids.
import { isWholeTraceId, traceId } from "../lib/url.js";
import { attribute, fill, h } from "../lib/view.js";

/** @param {any} app @param {string | null} id the first trace, where it is known */
export function askForTraces(app, id) {
  const marked = app.marks.value;
  const fields = [
    field("A", id ?? marked[0] ?? ""),
    field("B", id ? marked.find((other) => other !== id) ?? "" : marked[1] ?? ""),
  ];
  const problem = h("p.problem", { role: "alert" });
  const read = () => fields.map(({ input }) => idIn(input.value));
  const compare = (event) => {
    event.preventDefault();
    const found = read();
    fields.forEach(({ input }, index) => attribute(input, "aria-invalid", found[index] ? null : "true"));
    const wrong = found.indexOf(null);
    if (wrong >= 0) {
      problem.textContent = `${"AB"[wrong]} is no trace id: it takes up to 32 of the digits 0 to 9 and a to f, or the address of a trace.`;
      fields[wrong].input.focus();
      return;
    }
    if (found[0] === found[1]) {
      problem.textContent = "Both are the same trace.";
      fields[1].input.focus();
      return;
    }
    app.go({ page: "compare", id: found[0], other: found[1], state: {} });
  };
  const withTypical = () => {
    const [first] = read();
    attribute(fields[0].input, "aria-invalid", first ? null : "true");
    if (first) app.go({ page: "compare", id: first, other: "typical", state: {} });
    else {
      problem.textContent = "A is no trace id: it takes up to 32 of the digits 0 to 9 and a to f, or the address of a trace.";
      fields[0].input.focus();
    }
  };
  fill(app.shell.main, h("section.state.cmp-ask", {}, h("h2", {}, id ? "Compare with which trace?" : "Compare two traces"),
    h("p", {}, "Mark two traces with ", h("kbd", {}, "x"), " in Explore or on their own pages, then press ", h("kbd", {}, "g"), " ", h("kbd", {}, "c"),
      ". Or write their ids here."),
    h("form.cmp-form", { onsubmit: compare }, fields.map(({ element }) => element), problem,
      h("div.row-of-buttons", {}, h("button.primary", { type: "submit" }, "Compare"),
        h("button", { type: "button", onclick: withTypical }, "A with what is typical")),
      h("p.faint", {}, "Typical are twenty traces that begin with the same operation, those nearest to the median of their durations."))));
  fields[fields[0].input.value ? 1 : 0].input.focus();
  return { show() {}, close() {} };
}

function field(name, value) {
  const input = h("input.field.cmp-id", { type: "text", autocomplete: "off", spellcheck: "false", placeholder: "trace id, or the address of a trace" });
  input.value = value;
  return { input, element: h("label.cmp-label", {}, h("span.cmp-letter", {}, name), input) };
}

/** An id as it is, or out of a pasted address. @param {string} text */
function idIn(text) {
  const parts = text.trim().split(/[/?#&=]/).filter(isWholeTraceId);
  return traceId(parts[0] ?? text);
}
