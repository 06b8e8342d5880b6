// SPDX-License-Identifier: Apache-2.0
// Files with traces, dropped or chosen: sent one after the other, with what came of each, and the way to what they hold.
import * as api from "./api-more.js";
import { bytes, count, plural } from "./lib/format.js";
import { icon } from "./lib/icons.js";
import { fill, h } from "./lib/view.js";

/** The server takes no more in one request unless it is told to. */
const BYTES_MAX = 64 * 2 ** 20;
const FORMS = { otlp: "OTLP", jaeger: "Jaeger", zipkin: "Zipkin", plain: "plain JSON" };
const NAMED_TRACES_MAX = 20;
const NAMED_MAX = 100;
const PROBLEMS_SHOWN_MAX = 8;

/** @param {any} app */
export function chooseFiles(app) {
  const input = h("input", { type: "file", multiple: true, accept: ".json,.jsonl,.ndjson,.gz,application/json,application/gzip", hidden: true });
  input.addEventListener("change", () => {
    if (input.files.length) importFiles(app, [...input.files]);
    input.remove();
  });
  input.addEventListener("cancel", () => input.remove());
  document.body.append(input);
  input.click();
}

/** @param {any} app @param {File[]} files */
export async function importFiles(app, files) {
  if (!files.length) return;
  const flight = new AbortController();
  const rows = files.map((file) => {
    const name = h("p.import-name", {}, h("strong", {}, file.name), h("span.faint", {}, ` ${bytes(file.size)}`));
    return { file, element: h("li.import-file", {}, name) };
  });
  const outcome = h("div.import-outcome", { role: "status" });
  const next = h("div.row-of-buttons", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"));
  const dialog = app.shell.dialog("Import", h("ul.import-files", {}, rows.map(({ element }) => element)), outcome, next);
  dialog.addEventListener("close", () => flight.abort());
  const traceIds = new Set();
  let spanCount = 0;
  for (const { file, element } of rows) {
    const answer = await importFile(file, element, flight.signal);
    if (flight.signal.aborted) return;
    if (!answer) continue;
    spanCount += answer.acceptedSpanCount;
    for (const id of answer.traceIds) traceIds.add(id);
  }
  const ids = [...traceIds];
  const go = (view) => {
    dialog.close();
    app.go(view);
  };
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  if (!ids.length) {
    fill(outcome, h("p", {}, "Nothing was imported."));
    fill(next, close);
    close.focus();
    return;
  }
  fill(outcome, h("p", {}, icon("check"), ` ${plural(spanCount, "span")} of ${traceCount(ids)} imported.`));
  const q = ids.length <= NAMED_TRACES_MAX ? `{ ${ids.map((id) => `trace:id = "${id}"`).join(" || ")} }` : "";
  const show = ids.length === 1
    ? h("button.primary", { type: "button", onclick: () => go({ page: "trace", id: ids[0], state: {} }) }, "Open the trace")
    : h("button.primary", { type: "button", onclick: () => go({ page: "explore", state: { q, from: "all", to: "" } }) }, q ? "Show these traces" : "Show all traces");
  fill(next, show, close);
  show.focus();
  app.colors.learn();
}

/** @returns {Promise<any>} the server's answer, null when it did not take the file */
async function importFile(file, element, signal) {
  const name = element.firstChild;
  const progress = h("progress", { max: "1", "aria-label": `Sending ${file.name}` });
  fill(element, name, progress);
  const failed = (...text) => {
    fill(element, name, h("p.problem", {}, icon("error"), " ", text));
    return null;
  };
  try {
    const body = await unpacked(file);
    if (body === null) return failed("It is packed with zstd, which browsers do not read. Use ", h("code", {}, `skein import ${file.name}`), ".");
    if (body.size > BYTES_MAX) return failed(`${bytes(body.size)} are too much for the page. Use `, h("code", {}, `skein import ${file.name}`), ", which reads files of any size.");
    if (body.size === 0) return failed("The file is empty.");
    // What is sent is not yet stored: then nobody knows how far it is.
    const onProgress = (share) => (share < 1 ? progress.setAttribute("value", share) : progress.removeAttribute("value"));
    const answer = await api.importSpans(body, { signal, onProgress });
    const form = answer.format ? ` · ${FORMS[answer.format] ?? answer.format}` : "";
    const dropped = answer.droppedItemCount;
    fill(element, name, h("p", {}, `${plural(answer.acceptedSpanCount, "span")} of ${traceCount(answer.traceIds)}${form}`),
      dropped > 0 ? h("p.faint", {}, `${plural(dropped, "attribute, event or link", "attributes, events and links")} beyond the limits left out`) : null,
      problems(answer.skipped ?? []));
    return answer;
  } catch (error) {
    if (signal.aborted) return null;
    if (!(error instanceof api.ApiError)) return failed("It could not be read. Is it a folder?");
    const instead = error.status === 413 ? [" Use ", h("code", {}, `skein import ${file.name}`), "."] : null;
    return failed(error.message, instead, error.requestId ? h("span.faint", {}, ` Request ${error.requestId}`) : null);
  }
}

/** The server names a hundred traces at most. */
function traceCount(ids) {
  return ids.length >= NAMED_MAX ? `${count(NAMED_MAX)} traces or more` : plural(ids.length, "trace");
}

/** What was left out: why, how often, where first. */
function problems(skipped) {
  if (!skipped.length) return null;
  const where = ({ line, item }) => (line ? h("span.faint", {}, ` First in line ${count(line)}${item ? `, item ${count(item)}` : ""}.`) : null);
  return h("ul.import-problems", {}, skipped.slice(0, PROBLEMS_SHOWN_MAX).map((one) => h("li", {}, icon("warning"),
    h("span", {}, h("strong", {}, `${count(one.count)} left out`), `: ${one.example || one.reason.replaceAll("_", " ")}.`, where(one)))),
    skipped.length > PROBLEMS_SHOWN_MAX ? h("li.faint", {}, `and for ${plural(skipped.length - PROBLEMS_SHOWN_MAX, "other reason")}`) : null);
}

/** The text of a file, unpacked where its first bytes say that it is packed; null when it is so in a way that is not known here. */
async function unpacked(file) {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return null;
  if (head[0] !== 0x1f || head[1] !== 0x8b) return file;
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  for (let size = 0; size <= BYTES_MAX; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  reader.cancel();
  return new Blob(parts);
}
