// What pages do by themselves: regions that stay up to date, previews while typing, files dropped and sent, selections counted, texts
// copied. Pages ask for it by attributes and work without it.

const LIVE = "[data-live]";
const SCROLLED = ".sheet, .scroll";

/** Fetch a page and give the document; an answer that is another page, such as the sign-in, is followed. */
async function fetched(address, options = {}) {
  const answer = await fetch(address, { credentials: "same-origin", ...options, headers: { "X-Hauberk-Part": "1", ...options.headers } });
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
    location.reload();
    throw new Error("signed out");
  }
  if (answer.status >= 500) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Put a fresh copy in a region's place: what was opened or scrolled stays so, and the focus goes to its like. */
function replaced(old, fresh) {
  const opened = new Set([...old.querySelectorAll("details[open][id]")].map((one) => one.id));
  for (const one of fresh.querySelectorAll("details[id]")) if (opened.has(one.id)) one.open = true;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const places = [...old.querySelectorAll(SCROLLED)].map((one) => [one.scrollLeft, one.scrollTop]);
  const node = document.importNode(fresh, true);
  // That is for whole pages; here somebody may be typing elsewhere.
  for (const one of node.querySelectorAll("[autofocus]:not([popover] *)")) one.autofocus = false;
  old.replaceWith(node);
  enlivened(node);
  node.querySelectorAll(SCROLLED).forEach((one, at) => one.scrollTo(...(places[at] ?? [0, 0])));
  if (!focused) return;
  const target = (focused !== old && likeOf(focused, old, node)) || node;
  target.focus({ preventScroll: true });
  if (document.activeElement === target) return;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

/** Find what does the same in the fresh region as what has the focus in the old one. */
function likeOf(focused, old, fresh) {
  if (focused.id) return document.getElementById(focused.id);
  const does = (one) =>
    [...["href", "name", "value", "popovertarget"].map((name) => one.getAttribute(name)), one.form?.getAttribute("action"), one.matches("summary") && one.textContent].join("\n");
  const alike = (region) => [...region.querySelectorAll(focused.tagName)].filter((one) => does(one) === does(focused));
  const found = alike(fresh);
  return found[alike(old).indexOf(focused)] ?? found[0];
}

// --- Regions that stay up to date ------------------------------------------------------------------------------------------------------

let failures = 0;

function lost(is) {
  failures = is ? failures + 1 : 0;
  const told = document.querySelector("[data-lost]");
  if (told) told.hidden = failures < 2;
}

/** Someone is in the middle of something there: a field, an open question, a click, selected text or rows. */
function isBusy(region) {
  const active = document.activeElement;
  if (region.contains(active) && active.matches("input:not([type=checkbox]), textarea, select")) return true;
  if (region.querySelector(":active, :popover-open, dialog[open], details[open]:not([id]), input[type=checkbox]:checked")) return true;
  const selection = getSelection();
  return Boolean(selection && !selection.isCollapsed && region.contains(selection.anchorNode));
}

function watch(region) {
  const seconds = Number(region.dataset.live) || 2;
  const again = (wait) => setTimeout(look, wait * 1000);
  async function look() {
    if (!region.isConnected) return;
    if (document.hidden || isBusy(region)) return again(seconds);
    try {
      const fresh = (await fetched(region.dataset.liveSrc || location.href)).getElementById(region.id);
      lost(false);
      if (!region.isConnected) return;
      if (isBusy(region)) return again(seconds);
      if (fresh) replaced(region, fresh);
    } catch {
      lost(true);
      again(Math.min(seconds * 2 ** Math.min(failures, 4), 15));
    }
  }
  again(seconds);
}

// --- Previews while typing -------------------------------------------------------------------------------------------------------------

function preview(form) {
  let wait;
  let under_way = false;
  let is_old = false;
  // One at a time: the server goes on with what a browser does not wait for any more.
  async function look() {
    is_old = under_way;
    if (under_way) return;
    under_way = true;
    try {
      const page = await fetched(form.dataset.previewSrc, { method: "POST", body: new FormData(form) });
      const fresh = page.getElementById(form.dataset.preview);
      const old = document.getElementById(form.dataset.preview);
      if (fresh && old) replaced(old, fresh);
      else old?.replaceChildren(problem(page));
      lost(false);
    } catch {
      lost(true);
    }
    under_way = false;
    if (is_old) look();
  }
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(look, 250);
  });
}

/** What a page tells that came in place of the one that was asked for. */
function problem(page) {
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = [...page.querySelectorAll("main h1, main .told")].map((one) => one.textContent.trim()).join(": ");
  return note;
}

// --- Files sent ------------------------------------------------------------------------------------------------------------------------

/** Send a form with a file in it by ourselves, so that it can be told how far it is and be cancelled; without a file the browser does. */
function sendsFile(form) {
  const input = form.querySelector("input[type=file]");
  const place = form.querySelector("[data-sending]");
  const parts = [".progress", "progress", "[data-sent]", "button", "[role=status]"];
  const [shown, bar, count, cancel, told] = parts.map((one) => place.querySelector(one));
  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    const request = new XMLHttpRequest();
    const buttons = [...form.querySelectorAll("button")].filter((button) => button !== cancel && !button.disabled);
    const ended = (text) => {
      shown.hidden = true;
      told.textContent = text;
      for (const button of buttons) button.disabled = false;
      (event.submitter ?? buttons[0])?.focus();
    };
    let quarter = 0;
    let stored = "nothing was stored";
    request.upload.onprogress = ({ loaded, total }) => {
      bar.value = loaded / total;
      count.textContent = `${megabytes(loaded)} of ${megabytes(total)} MB`;
      // Read out now and then, and not at every step.
      if (Math.floor((4 * loaded) / total) > quarter) told.textContent = `${25 * (quarter = Math.floor((4 * loaded) / total))} % sent`;
    };
    request.upload.onload = () => {
      stored = "all of it was sent: look whether it was stored";
      bar.removeAttribute("value");
      told.textContent = "All of it is sent. The control plane looks at it…";
    };
    request.onload = () => {
      const here = new URL(request.responseURL);
      ended("");
      // After a redirect the answer has an address of its own; what was refused has only its text.
      if (here.href !== new URL(address, location.href).href) return location.assign(here);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      document.title = page.title;
      replaced(document.body, page.body);
      (document.querySelector("main [role=alert]") ?? document.getElementById("main"))?.focus();
    };
    request.onerror = () => ended(`The connection broke, and ${stored}. Try again.`);
    request.onabort = () => ended(`Cancelled, and ${stored}.`);
    cancel.onclick = () => request.abort();
    const address = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action");
    const body = new FormData(form);
    request.open("POST", address);
    request.send(body);
    for (const button of buttons) button.disabled = true;
    bar.value = 0;
    count.textContent = "";
    shown.hidden = false;
    told.textContent = "Sending…";
    cancel.focus();
  });
}

function megabytes(count) {
  return (count / 1e6).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

// --- Files, selections, copies ---------------------------------------------------------------------------------------------------------

function drop(area) {
  const input = area.querySelector("input[type=file][name]");
  const text = area.querySelector("textarea");
  // One without a name is sent nowhere: what it reads goes into the text.
  const chooser = area.querySelector("input[type=file]:not([name])");
  const fill = async (file) => {
    text.value = await file.text();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  if (chooser) {
    chooser.closest("[hidden]").hidden = false;
    chooser.addEventListener("change", () => chooser.files.length && fill(chooser.files[0]));
  }
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => area.classList.remove("over"));
  area.addEventListener("drop", async (event) => {
    event.preventDefault();
    const files = event.dataTransfer?.files;
    if (!files?.length) return;
    if (input) {
      input.files = files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      input.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (text) {
      await fill(files[0]);
    }
  });
}

function selection(form) {
  const boxes = () => [...form.querySelectorAll("input[type=checkbox][data-row]")];
  const all = form.querySelector("input[data-select-all]");
  const count = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    for (const place of form.querySelectorAll("[data-selected]")) place.textContent = String(chosen);
    for (const button of form.querySelectorAll("button[data-needs-selection]")) button.disabled = chosen === 0;
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  };
  all?.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
  });
  form.addEventListener("change", count);
  count();
}

function copy(button) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
}

/** Save a text of the page as a file, by an address that says nothing of it: browsers keep those of downloads. */
function save(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.save).textContent;
    const content = button.dataset.encoding === "base64" ? Uint8Array.from(atob(text), (one) => one.charCodeAt(0)) : text;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}

/** Leave out what was left empty: the address of a filtered table says what is filtered, and no more. */
function asked(form) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of new Set(formData.keys())) if (!formData.getAll(name).some(Boolean)) formData.delete(name);
  });
}

/** Submit a form as soon as something in it is chosen, such as a filter. */
function submitted(form) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
  });
}

/** What has to be scrolled to be read is scrolled by keyboard, too. */
function scrolled(region) {
  if (region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight) region.tabIndex = 0;
}

function switchTheme(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    document.cookie = `hauberk_theme=${root.dataset.theme}; Path=/; SameSite=Lax; Max-Age=31536000`;
  });
}

const ATTRIBUTES = [
  [LIVE, watch],
  ["form[data-preview]", preview],
  ["form[data-sends-file]", sendsFile],
  ["[data-drop]", drop],
  ["form[data-selection]", selection],
  ["[data-copy]", copy],
  ["[data-save]", save],
  ["form[method=get]", asked],
  ["form[data-submit-on-change]", submitted],
  [SCROLLED, scrolled],
  ["[data-theme-switch]", switchTheme],
];

function enlivened(root) {
  for (const [selector, make] of ATTRIBUTES) {
    if (root.matches?.(selector)) make(root);
    for (const element of root.querySelectorAll(selector)) make(element);
  }
}

enlivened(document);

// A notice is told once: the address that is shared or loaded again does not name it.
if (document.querySelector("[data-notice]")) {
  const address = new URL(location.href);
  address.searchParams.delete("notice");
  history.replaceState(null, "", address);
}

// One menu at a time, and a click elsewhere or Escape closes it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});
