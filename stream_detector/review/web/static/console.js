// What the pages do in the browser: single keys, selections as offsets, the countdown of undo. Without it every form still works.
"use strict";

const FIELDS = "input, select, textarea, [contenteditable]";

function say(text) {
  document.getElementById("said").textContent = text;
}

// Single keys: an element says which is its own (data-key). They rest while a field has the focus, with any modifier, and
// when they are turned off.
document.addEventListener("keydown", (event) => {
  if (document.body.dataset.keys === "off" || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.key.length !== 1) return;
  if (event.target instanceof Element && event.target.closest(FIELDS)) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") {
    if (moveLine(key === "j" ? 1 : -1)) event.preventDefault();
    return;
  }
  const wanted = Array.from(document.querySelectorAll("[data-key]")).find((element) => element.dataset.key === key);
  if (!wanted || wanted.disabled) return;
  event.preventDefault();
  if (wanted.matches(FIELDS)) {
    wanted.focus();
    return;
  }
  wanted.click();
  if (wanted.matches("summary")) wanted.focus();
});

function moveLine(step) {
  const lines = Array.from(document.querySelectorAll("a.row"));
  if (!lines.length) return false;
  const at = lines.indexOf(document.activeElement);
  lines[Math.min(lines.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
  return true;
}

// A form is sent once: a second press of a key while the answer is on its way must not decide the next case too.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("[hx-post]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) delete form.dataset.sent;
});

// A place in a text: the element that holds it knows the offset of its first character; the rest is counted in code points.
function offsetOf(node, offset, text) {
  let element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node.childNodes[offset] || null;
  if (node.nodeType !== Node.TEXT_NODE) {
    const following = element && (element.nodeType === Node.TEXT_NODE ? element.parentElement : element);
    const next = following && (following.matches("[data-at]") ? following : following.querySelector("[data-at]"));
    if (next && text.contains(next)) return Number(next.dataset.at);
    const known = text.querySelectorAll("[data-at]");
    return endOf(known[known.length - 1]);
  }
  element = element.closest("[data-at]");
  if (!element || !text.contains(element)) {
    // In a label or a gap: what comes next is what is meant.
    const behind = Array.from(text.querySelectorAll("[data-at]")).find((one) => node.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    return behind ? Number(behind.dataset.at) : null;
  }
  if ("one" in element.dataset) return Number(element.dataset.at) + (offset > 0 ? 1 : 0);
  return Number(element.dataset.at) + Array.from(node.data.slice(0, offset)).length;
}

function endOf(element) {
  return Number(element.dataset.at) + ("one" in element.dataset ? 1 : Array.from(element.textContent).length);
}

function selectedSpan() {
  const selection = window.getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const start = range.startContainer.nodeType === Node.TEXT_NODE ? range.startContainer.parentElement : range.startContainer;
  const text = start.closest(".text[data-attribute]");
  if (!text || !text.contains(range.endContainer)) return null;
  const span = { attribute: text.dataset.attribute, start: offsetOf(range.startContainer, range.startOffset, text), end: offsetOf(range.endContainer, range.endOffset, text) };
  return span.start === null || span.end === null || span.start >= span.end ? null : span;
}

function rowOf(fields) {
  const named = (name) => fields.querySelector(`[name="span.${name}"]`);
  return { attribute: named("attribute"), start: named("start"), end: named("end") };
}

function preview(fields) {
  const row = rowOf(fields);
  const text = Array.from(document.querySelectorAll(".text[data-attribute]")).find((one) => one.dataset.attribute === row.attribute.value);
  const start = Number(row.start.value || NaN);
  const end = Number(row.end.value || NaN);
  let piece = "";
  for (const run of text ? text.querySelectorAll("[data-at]") : []) {
    const at = Number(run.dataset.at);
    if (at >= end || endOf(run) <= start) continue;
    piece += "one" in run.dataset ? run.textContent : Array.from(run.textContent).slice(Math.max(0, start - at), end - at).join("");
  }
  fields.querySelector(".piece").textContent = piece.slice(0, 300);
}

const spans = document.getElementById("spans");
if (spans) {
  const rows = Array.from(spans.querySelectorAll(".span"));
  const correct = spans.querySelector('[name="correct"]');
  rows.forEach(preview);
  spans.addEventListener("input", (event) => {
    const fields = event.target.closest(".span");
    if (!fields) return;
    correct.checked = true;
    preview(fields);
  });
  const take = document.getElementById("take");
  // Pressing a button takes the selection away in some browsers: it is read before.
  let held = null;
  take.addEventListener("pointerdown", () => { held = selectedSpan(); });
  take.addEventListener("click", () => {
    const span = selectedSpan() || held;
    held = null;
    const fields = rows.find((one) => !rowOf(one).start.value && !rowOf(one).end.value);
    if (!span) return say("Nothing is selected in a text.");
    if (!fields) return say("There is no empty row; clear one.");
    spans.open = true;
    const row = rowOf(fields);
    row.attribute.value = span.attribute;
    row.start.value = span.start;
    row.end.value = span.end;
    correct.checked = true;
    preview(fields);
    fields.scrollIntoView({ block: "nearest" });
    say(`Characters ${span.start} to ${span.end} of ${span.attribute} are in ${fields.querySelector("legend").textContent}.`);
  });
}

// The last decision can be undone for a few seconds.
const toast = document.querySelector(".toast");
if (toast) {
  const end = performance.now() + Number(toast.dataset.seconds) * 1000;
  const count = toast.querySelector(".count");
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left <= 0) {
      toast.remove();
      return;
    }
    count.textContent = `${left} s`;
    window.setTimeout(tick, 250);
  };
  tick();
}

// Whoever leaves a case is no longer said to look at it.
const lookers = document.querySelector("[data-leave]");
if (lookers) {
  window.addEventListener("pagehide", () => {
    const body = new FormData();
    body.append("csrf", lookers.dataset.csrf);
    navigator.sendBeacon(lookers.dataset.leave, body);
  });
}

// New cases show in the title too, for those who have the queue in another tab.
const title = document.title;
document.body.addEventListener("htmx:sseMessage", () => {
  const news = document.querySelector(".news");
  document.title = news ? `(${news.dataset.count}) ${title}` : title;
});
