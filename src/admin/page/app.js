"use strict";
(() => {
  const LABEL_BYTES = 200, POLL_MS = 30000, JOB_MS = 300, MISSED_MS = 2000, MOST_MISSED = 30;
  const NOTHING = { status: null, list: [], health: null, seen: null, stale: false };
  const $ = (id) => document.getElementById(id);
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let token = "";
  let state = NOTHING;
  let session = 0;  // answers to an earlier session's questions are dropped
  const stored = () => { try { return localStorage.getItem("reprise-language"); } catch { return null; } };
  const wanted = [stored(), ...(navigator.languages || []).map((one) => one.slice(0, 2))];
  let language = wanted.find((one) => one === "fr" || one === "en") || "fr";

  const t = (key, ...values) => (TEXTS[language][key] || key).replace(/\{\}/g, () => values.shift());
  const word = (group, key) => TEXTS[language][group + "_" + key] || key;
  const colon = () => (language === "fr" ? "\u00a0: " : ": ");
  const node = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "click") made.addEventListener("click", value);
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  const number = (value) => (value === null || value === undefined ? "–" : new Intl.NumberFormat(language).format(value));
  const when = (text) =>
    (text ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text)) : t("never"));
  const ago = (seconds) => {
    if (seconds === null || seconds === undefined) return "";
    const [size, unit] = seconds < 5400 ? [60, "minute"] : seconds < 129600 ? [3600, "hour"] : [86400, "day"];
    return " (" + new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.round(seconds / size), unit) + ")";
  };
  const bytes = (value) => {
    if (value === null || value === undefined) return "–";
    const units = language === "fr" ? ["o", "ko", "Mo", "Go", "To"] : ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (value >= 1000 && unit < 4) { value /= 1000; ++unit; }
    return new Intl.NumberFormat(language, { maximumFractionDigits: unit ? 1 : 0 }).format(value) + "\u00a0" + units[unit];
  };

  // The server's own sentences are English.
  const english = (name, text) => node(name, { lang: "en" }, text);
  const notes = (texts) =>
    (texts && texts.length ? [node("ul", { class: "plain" }, ...texts.map((text) => english("li", text)))] : []);
  function tell(id, parts, kind) {
    for (const each of ["message", "error"]) $(each).replaceChildren(...(each === id ? parts : []));
    $("message").className = kind || "";
    $("dismiss").hidden = parts.length === 0;
  }
  const say = (...parts) => tell("message", parts);
  const warn = (...parts) => tell("message", [node("strong", {}, t("attention")), " ", ...parts], "warn");
  const complain = (...parts) => tell("error", parts);

  class Problem extends Error {
    constructor(status, body) { super(body.title || body.message || String(status)); this.status = status; this.body = body; }
  }
  async function call(method, path, body) {
    const headers = { "X-Reprise": "1", "Accept-Language": language };
    if (token) headers.Authorization = "Bearer " + token;
    if (body) headers["Content-Type"] = "application/json";
    if (method === "POST") headers.Prefer = "respond-async";
    const answer = await fetch(path, { method, headers, body: body ? JSON.stringify(body) : undefined, cache: "no-store" })
      .catch(() => { throw new Problem(0, { title: t("network") }); });
    const json = await answer.json().catch(() => ({}));
    if (!answer.ok && !(path === "health" && answer.status === 503)) throw new Problem(answer.status, json);
    return json;
  }
  const explain = ({ message, body }) => [message, ...(body && body.detail ? [" — ", english("span", body.detail)] : [])];

  // Back to the login when the server no longer knows who asks (429 comes with tokens that are not good, too).
  function refused(problem) {
    if (![401, 403, 429].includes(problem.status)) return false;
    leave(...(problem.status === 401 ? [t(state.status ? "expired" : "wrong_token")] : explain(problem)));
    return true;
  }
  async function attempt(work) {
    const asked = session;
    try { return await work(); } catch (problem) {
      if (asked !== session || refused(problem)) return null;
      if (problem.status === 0) stale();
      complain(...explain(problem));
      return null;
    }
  }

  // While one of this page's jobs runs it starts no other; what would is greyed, but keeps the focus.
  let working = false;
  function mayStart() {
    for (const each of document.querySelectorAll(".starts")) each.setAttribute("aria-disabled", String(working));
  }
  async function begin(work) {
    if (working) return null;
    working = true;
    say();
    mayStart();
    try { return await work(); } finally { working = false; mayStart(); }
  }

  const followed = [], known = new Set();  // of jobs: those that run, the last one is drawn; all that were ever followed
  function drawJob(now) {
    const { phase, documents, documents_total, bytes: read, bytes_total } = now.progress || {};
    const [value, total] = bytes_total > 0 ? [read, bytes_total] : [documents, documents_total];
    $("running-text").textContent = t("working") + word("kind", now.kind) + (phase ? " — " + word("phase", phase) : "") +
      (total > 0 || !documents ? "" : " (" + number(documents) + ")") + " ";
    if (total > 0) { $("progress").max = total; $("progress").value = value; } else $("progress").removeAttribute("value");
    $("cancel").onclick = () => attempt(() => call("POST", "jobs/" + now.id + "/cancel"));
    $("running").hidden = false;
  }
  // Follows a job to its end, drawing its progress; gives its result. A server that is away for a while does not end it.
  async function follow(job) {
    followed.push(job);
    known.add(job);
    try {
      for (let missed = 0; ;) {
        const now = await call("GET", "jobs/" + job).catch((problem) => {
          if ((problem.status > 0 && problem.status < 500) || ++missed > MOST_MISSED) throw problem;
          return null;
        });
        if (now) {
          missed = 0;
          if (followed[followed.length - 1] === job) drawJob(now);
          if (now.state === "done") return now.result;
          const { title, message } = now.error || { title: now.state };
          if (now.state !== "running") throw new Problem(null, { title, detail: message });
        }
        await sleep(now ? JOB_MS : MISSED_MS);
      }
    } finally {
      followed.splice(followed.indexOf(job), 1);
      if (followed.length === 0) $("running").hidden = true;
    }
  }
  async function job(path, body, started = () => {}) {
    const answer = await call("POST", path, body || {});
    if (!answer.job || answer.file) return answer;
    started(answer.job);
    return follow(answer.job);
  }

  function translate() {
    document.documentElement.lang = language;
    $("language").value = language;
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
    if (state.status) draw();
  }

  function fact(name, value) { return node("div", {}, node("dt", {}, name), node("dd", {}, value)); }

  function draw() {
    const { status, list, health, seen, stale } = state;
    $("database").textContent = status.database;
    $("health").textContent = stale ? t("stale", when(seen)) : t(health.healthy ? "healthy" : "unhealthy");
    $("health").className = stale ? "warn" : health.healthy ? "good" : "bad";
    $("problems").replaceChildren(...health.problems.map(({ reason, message }) =>
      (TEXTS[language][reason] ? node("li", {}, t(reason)) : english("li", message))));
    $("facts").replaceChildren(fact(t("last_good"), when(health.last_backup) + ago(health.age_s)),
      fact(t("checked"), health.verified ? t("yes") : t("no")),
      fact(t("next_run"), health.next_run ? when(health.next_run) : t("none")), fact(t("space"), bytes(health.free_bytes)));
    $("empty").hidden = list.length > 0;
    $("list").hidden = list.length === 0;
    drawList(JSON.stringify([language, list]));
  }

  // Drawn anew only when it changed, and then the focus and what is open stay where they are.
  let drawn = "";
  function drawList(wanted) {
    if (wanted === drawn) return;
    drawn = wanted;
    const held = placeOf(document.activeElement);
    const open = new Set([...$("list").querySelectorAll("details[open]")].map((one) => one.closest("tr").dataset.file));
    $("list").tBodies[0].replaceChildren(...state.list.map(row));
    for (const one of $("list").querySelectorAll("details")) one.open = open.has(one.closest("tr").dataset.file);
    mayStart();
    focusAt(held);
  }
  function placeOf(element) {
    const line = element && element.closest("#list tbody tr");
    return line && { file: line.dataset.file, at: line.sectionRowIndex, act: element.dataset.act };
  }
  // The same button of the same file; of the one that came into its place where it is gone.
  function focusAt(held) {
    if (!held) return;
    const lines = [...$("list").tBodies[0].rows];
    const line = lines.find((one) => one.dataset.file === held.file) || lines[Math.min(held.at, lines.length - 1)];
    const found = line && (line.querySelector(`[data-act="${held.act}"]`) || line.querySelector("button"));
    (found || $("list-title")).focus({ preventScroll: Boolean(found) });
  }
  let opener = null;
  function open(id) {
    opener = placeOf(document.activeElement);
    $(id).showModal();
  }

  function marks(item) {
    const out = [];
    const add = (key, kind) => out.push(node("span", { class: "mark " + kind }, t(key)));
    if (item.latest) add("latest", "good");
    if (item.state === "suspect") add("suspect", "bad");
    if (item.pinned) add("pinned", "good");
    if (item.kind === "before_restore") add("safety", "warn");
    if (item.problem) add("old_problem", "bad");
    else if (item.legacy) add("legacy", "warn");
    else if (!item.verified) add("unverified", "warn");
    if (item.label) out.push(node("span", {}, item.label));
    if (item.suspect_reason) out.push(node("div", { class: "file" }, t(item.suspect_reason)));
    return out;
  }

  function row(item) {
    const name = item.filename;
    const date = when(item.backup_date || item.modified);
    const button = (act, key, click, kind = "") =>
      node("button", { type: "button", class: kind, "data-act": act, "aria-label": t(key) + " " + name, click }, t(key));
    const starts = (act, key, work, kind = "") => button(act, key, () => working || work(), kind + " starts");
    const mark = (path, body) => change(() => call("POST", path, { filename: name, ...body }));
    const acceptIt = async () => {
      if (await ask(t("ask_accept", name, t(item.suspect_reason || "suspect")), t("accept"))) await mark("accept", {});
    };
    const actions = [
      starts("restore", "restore", () => restore(item), "danger"), button("details", "details", () => details(item)),
      starts("verify", "verify", () => verify(name)), button("download", "download", () => download(name)),
      starts("pin", item.pinned ? "unpin" : "pin", () => mark("pin", { value: !item.pinned }))];
    if (item.state === "suspect") actions.push(starts("accept", "accept", acceptIt));
    actions.push(starts("remove", "remove", () => remove(name), "danger"));
    const td = (key, ...children) => node("td", { "data-name": t(key) + colon() }, ...children);
    return node("tr", { "data-file": name }, node("th", { scope: "row" }, date, node("div", { class: "file" }, name)),
      td("size", bytes(item.size_bytes)), td("documents", number(item.documents), counts(item)),
      node("td", {}, ...marks(item)), node("td", {}, ...actions));
  }

  // Something that is done at once.
  const change = (work) => attempt(() => begin(async () => {
    await work();
    say(t("done"));
    await refresh();
  }));

  function counts(item) {
    const all = Object.entries(item.counts || {});
    if (all.length === 0) return "";
    return node("details", {}, node("summary", { "data-act": "counts" }, number(all.length) + " " + t("in_collections")),
      node("ul", { class: "plain" }, ...all.map(([name, documents]) => node("li", {}, name + colon() + number(documents)))));
  }

  const table = (heads, rows) => node("table", { class: "stack" },
    node("thead", {}, node("tr", {}, ...heads.map((head) => node("th", { scope: "col" }, head)))),
    node("tbody", {}, ...rows.map(([first, ...cells]) => node("tr", {}, node("th", { scope: "row" }, first),
      ...cells.map((cell, i) => node("td", { "data-name": heads[i + 1] + colon() }, cell))))));

  function fate(one) {
    if (!one.in_backup || one.action === "leave") return "kept";
    if (one.action ? one.action === "create" : one.now === null) return "created";
    if (one.same) return "same";
    return one.same_documents && one.type !== "view" ? "catalog" : "different";
  }
  function previewTable(collections) {
    const quiet = ["kept", "same"];  // these come last, in this order
    const rank = (one) => quiet.indexOf(fate(one));
    const sorted = [...collections].sort((a, b) => rank(a) - rank(b));  // stable: by name within a rank
    const changed = sorted.filter((one) => rank(one) < 0).length, same = sorted.filter((one) => fate(one) === "same").length;
    const line = (one) => [one.name + (one.type === "view" ? " (" + t("view") + ")" : ""),
      number(one.now), number(one.in_backup ? one.after : one.now),
      node("span", { class: rank(one) < 0 ? "changed" : "soft" }, t(fate(one)))];
    return [node("p", {}, t("sum", number(changed), number(same))),
      table([t("collection"), t("now"), t("after"), t("change")], sorted.map(line))];
  }

  // The bar with progress, result and error stands in the dialog until it is closed.
  let dialogs = 0;
  async function restore(item) {
    const mine = ++dialogs;  // an earlier one's preview may still come
    const database = state.status.database;
    const file = item.filename;
    let shown = false, comparing = null;
    const may = () => { $("restore-go").disabled = !shown || working || $("confirm").value !== database; };
    $("restore-file").textContent = file + " — " + when(item.backup_date || item.modified);
    $("restore-suspect").hidden = item.state !== "suspect";
    $("restore-suspect").textContent = t("is_suspect", t(item.suspect_reason || "suspect"));
    $("confirm-text").textContent = t("confirm") + database;
    $("confirm").value = "";
    $("confirm").oninput = may;
    $("restore-ask").hidden = $("restore-go").hidden = false;
    $("preview").replaceChildren();
    $("preview-wait").replaceChildren(t("preview_wait"));
    may();
    open("restore");
    $("restore-bar").append($("bar"));
    const stop = () => call("POST", "jobs/" + comparing + "/cancel").catch(() => {});
    $("restore").onclose = () => {
      if ($("restore").open) return;  // an earlier one's event
      ++dialogs;
      if (comparing) stop();
    };
    $("restore-form").onsubmit = (event) => {
      event.preventDefault();
      if (!$("restore-go").disabled) carryOut(file);
    };
    try {
      const preview = await begin(() => job("restore", { filename: file, dry_run: true }, (id) => {
        comparing = id;
        if (mine !== dialogs) stop();
      }));
      comparing = null;
      if (mine !== dialogs) return;
      $("preview").replaceChildren(...previewTable(preview.collections));
      $("preview-wait").replaceChildren(...notes(preview.warnings));
      shown = true;
    } catch (problem) {
      comparing = null;
      if (mine !== dialogs || refused(problem)) return;
      $("preview-wait").replaceChildren(...explain(problem));
    }
    may();
  }
  async function carryOut(file) {
    $("restore-ask").hidden = $("restore-go").hidden = true;
    $("restore-close").focus();
    await attempt(() => begin(async () => {
      const done = await job("restore", { filename: file });
      const line = (key, value) => node("p", {}, t(key, value));
      const parts = [line("restored", file), ...(done.safety_file ? [line("undo", done.safety_file)] : []),
        ...((done.copies || []).length ? [line("copies", done.copies.join(", "))] : []), ...notes(done.warnings)];
      ((done.warnings || []).length ? warn : say)(...parts);
      await refresh();
    }));
  }

  const verify = (name) => attempt(() => begin(async () => {
    const found = await job("verify", { filename: name });
    const whole = found.verified !== false;
    const parts = [whole ? t("done") + " " + name : t("not_whole", name), ...notes(found.warnings)];
    (whole && parts.length === 1 ? say : warn)(...parts);
    await refresh();
  }));

  async function details(item) {
    await attempt(async () => {
      const all = await call("GET", "files/" + encodeURIComponent(item.filename));
      $("details-title").textContent = item.filename;
      $("details-body").replaceChildren(item.label ? node("p", {}, t("reason") + colon() + item.label) : "",
        all.problem ? node("p", { class: "bad", lang: "en" }, all.problem) : "",
        table([t("collection"), t("documents"), t("size"), t("index_count")],
          Object.entries(all.collections || {}).map(([name, one]) => [name, number(one.documents), bytes(one.bson_bytes),
            number(((all.catalog || {})[name] || { indexes: [] }).indexes.length)])));
      open("details");
    });
  }

  // A form, so that the browser streams the file to disk and the token stands in no address. With a cookie a link is enough.
  // Asked for first, because the browser would show an error's JSON in the page's place.
  const download = (name) => attempt(async () => {
    const { backups } = await call("GET", "list");
    if (!backups.some((one) => one.filename === name)) throw new Problem(404, { title: t("gone") });
    const action = "download/" + encodeURIComponent(name);
    if (!token) {
      node("a", { href: action, download: name }).click();
      return;
    }
    const form = node("form", { method: "post", action, hidden: "" },
      node("input", { type: "hidden", name: "token", value: token }));
    document.body.append(form);
    form.submit();
    form.remove();
  });

  async function ask(text, yes) {
    $("ask-text").textContent = text;
    $("ask-yes").textContent = yes;
    $("ask").returnValue = "";
    open("ask");
    // The event comes later than the end: an earlier question's may come now.
    do await new Promise((resolve) => $("ask").addEventListener("close", resolve, { once: true })); while ($("ask").open);
    return $("ask").returnValue === "yes";
  }
  async function remove(name) {
    if (!(await ask(t("ask_remove", name), t("remove")))) return;
    await change(() => call("DELETE", "files/" + encodeURIComponent(name)));
  }

  async function refresh() {
    const asked = session;
    const status = await call("GET", "status");
    const [list, health] = await Promise.all([call("GET", "list"), call("GET", "health")]);
    if (asked !== session) return;
    state = { status, list: list.backups, health, seen: new Date(), stale: false };
    $("login").hidden = true;
    $("logout").hidden = !token;  // a cookie is the host's to take back
    $("content").hidden = false;
    draw();
    if (status.running && followed.length === 0 && !known.has(status.running.id)) attempt(() => watch(status.running));
  }
  function sayMade(made, done) {
    const more = notes(made.warnings);
    if (made.state === "suspect") warn(t("made_suspect", made.file, t(made.suspect_reason)), ...more);
    else (more.length ? warn : say)(done, ...more);
  }
  // Somebody else's job, or one of this page before it was loaded anew.
  async function watch({ id, kind }) {
    const result = await follow(id);
    if (!working && kind !== "preview") sayMade(result, t("ended", word("kind", kind)));
    await refresh();
  }
  function stale() {
    if (!state.status) return;
    state = { ...state, stale: true };
    draw();
  }

  function enter(...problem) {
    $("content").hidden = true;
    $("login").hidden = false;
    $("database").textContent = "";
    tell("error", problem);
    $("token").focus();
  }
  function leave(...problem) {
    ++session;
    token = "";
    state = NOTHING;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    enter(...problem);
  }

  $("language").addEventListener("change", () => {
    language = $("language").value;
    try { localStorage.setItem("reprise-language", language); } catch { /* then only until the page is loaded anew */ }
    translate();
  });
  for (const dialog of document.querySelectorAll("dialog"))
    dialog.addEventListener("close", () => {
      if (dialog.open) return;
      if ($("bar").parentNode !== $("main")) $("main").append($("bar"));
      const lost = document.activeElement === document.body || dialog.contains(document.activeElement);
      if (state.status && lost) focusAt(opener);  // it was drawn anew meanwhile
    });
  $("restore-close").addEventListener("click", () => $("restore").close());
  $("dismiss").addEventListener("click", () => say());
  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    ++session;
    token = $("token").value.trim();
    $("token").value = "";
    say();
    attempt(refresh);
  });
  $("logout").addEventListener("click", () => leave());
  $("create").addEventListener("submit", (event) => {
    event.preventDefault();
    const label = $("label").value.trim();
    if (new TextEncoder().encode(label).length > LABEL_BYTES) {
      complain(t("label_long"));
      $("label").focus();
      return;
    }
    attempt(() => begin(async () => {
      const made = await job("create", label ? { label } : {});
      $("label").value = "";
      sayMade(made, t("done") + " " + made.file);
      await refresh();
    }));
  });
  // The host's page hands its token over: one of the same origin, or the one that shows this page in a frame, which only those
  // that the host chose can do. It is told when this page listens.
  const host = window.parent !== window ? window.parent : window.opener;
  window.addEventListener("message", (event) => {
    const trusted = event.origin === location.origin || (event.source === window.parent && window.parent !== window);
    if (!trusted || !event.data || typeof event.data.reprise_token !== "string") return;
    ++session;
    token = event.data.reprise_token;
    attempt(refresh);
  });
  if (host) host.postMessage({ reprise: "ready" }, "*");
  // What other people do shows within half a minute; and what is shown is never older without saying so.
  function poll() {
    if (!state.status || document.hidden) return;
    const asked = session;
    refresh().catch((problem) => asked !== session || refused(problem) || stale());
  }
  setInterval(poll, POLL_MS);
  document.addEventListener("visibilitychange", poll);
  translate();
  refresh().catch((problem) => token || enter(...(problem.status === 401 ? [] : explain(problem))));
})();
