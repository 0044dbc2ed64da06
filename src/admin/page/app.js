"use strict";
(() => {
  const TEXTS = {
    fr: { skip: "Aller au contenu", language: "Langue", login: "Connexion", login_help: "Collez le jeton (JWT) d'un administrateur.",
      token: "Jeton", enter: "Entrer", state: "État", create: "Nouvelle sauvegarde", label: "Étiquette (facultative)",
      create_now: "Sauvegarder maintenant", cancel: "Annuler", backups: "Sauvegardes", no_backups: "Aucune sauvegarde pour l'instant.",
      date: "Date", size: "Taille", documents: "Documents", marks: "Marques", actions: "Actions", logout: "Se déconnecter",
      restore: "Restaurer", restore_title: "Restaurer une sauvegarde", close: "Fermer", verify: "Vérifier", download: "Télécharger",
      pin: "Épingler", unpin: "Désépingler", accept: "Accepter", remove: "Supprimer", details: "Détails",
      restore_warning: "Les données actuelles seront d'abord sauvegardées, puis remplacées. Arrêtez les écritures avant de continuer.",
      confirm: "Pour confirmer, tapez le nom de la base : ", preview_wait: "Comparaison en cours…", collection: "Collection",
      now: "Maintenant", after: "Après", change: "Changement", same: "identique", different: "différent", created: "créée",
      kept: "absente de la sauvegarde, laissée telle quelle", healthy: "Tout va bien : une bonne sauvegarde récente existe.",
      unhealthy: "Attention :", last_good: "Dernière bonne sauvegarde", checked: "Vérifiée", yes: "oui", no: "non",
      next_run: "Prochaine exécution", none: "aucune", space: "Espace libre", never: "jamais", latest: "dernière",
      suspect: "suspecte", pinned: "épinglée", safety: "avant restauration", unverified: "non vérifiée", legacy: "ancien système",
      old_problem: "illisible", working: "En cours : ", ask_remove: "Supprimer définitivement ", done: "Terminé.",
      wrong_token: "Ce jeton n'est pas accepté.", undo: "Pour revenir en arrière, restaurez ", why: "Pourquoi", in_collections: "collections", network: "Le serveur ne répond pas.", reason: "Motif", index_count: "Index",
      no_backup: "il n'y a pas encore de bonne sauvegarde", backup_old: "la dernière bonne sauvegarde est ancienne",
      backup_unverified: "la dernière sauvegarde n'a pas été relue", newer_suspect: "une sauvegarde plus récente est suspecte",
      collections_lost: "la dernière sauvegarde n'a plus certaines collections", schedule_failing: "la dernière sauvegarde programmée a échoué",
      sentinel_empty: "la collection principale est vide", fewer_documents: "bien moins de documents qu'avant",
      fewer_bytes: "bien moins de données qu'avant", no_documents: "aucun document",
      space_low: "l'espace disque manque pour deux sauvegardes de plus" },
    en: { skip: "Skip to content", language: "Language", login: "Sign in", login_help: "Paste the token (JWT) of an administrator.",
      token: "Token", enter: "Enter", state: "State", create: "New backup", label: "Label (optional)",
      create_now: "Back up now", cancel: "Cancel", backups: "Backups", no_backups: "No backup yet.",
      date: "Date", size: "Size", documents: "Documents", marks: "Marks", actions: "Actions", logout: "Sign out",
      restore: "Restore", restore_title: "Restore a backup", close: "Close", verify: "Verify", download: "Download",
      pin: "Pin", unpin: "Unpin", accept: "Accept", remove: "Delete", details: "Details",
      restore_warning: "The present data are saved first, then replaced. Stop the writers before you go on.",
      confirm: "To confirm, type the name of the database: ", preview_wait: "Comparing…", collection: "Collection",
      now: "Now", after: "After", change: "Change", same: "same", different: "different", created: "created",
      kept: "not in the backup, left alone", healthy: "All is well: there is a good, recent backup.",
      unhealthy: "Attention:", last_good: "Last good backup", checked: "Verified", yes: "yes", no: "no",
      next_run: "Next run", none: "none", space: "Space left", never: "never", latest: "latest",
      suspect: "suspect", pinned: "pinned", safety: "before a restore", unverified: "not verified", legacy: "old system",
      old_problem: "unreadable", working: "Running: ", ask_remove: "Delete for ever ", done: "Done.",
      wrong_token: "This token is not accepted.", undo: "To go back, restore ", why: "Why", in_collections: "collections", network: "The server does not answer.", reason: "Reason", index_count: "Indexes",
      no_backup: "there is no good backup yet", backup_old: "the last good backup is old",
      backup_unverified: "the last backup was never read back", newer_suspect: "a newer backup is suspect",
      collections_lost: "the last backup lacks collections that an older one holds", schedule_failing: "the last scheduled backup failed",
      sentinel_empty: "the main collection is empty", fewer_documents: "far fewer documents than before",
      fewer_bytes: "far less data than before", no_documents: "no document at all",
      space_low: "the disk has no room for two more backups" },
  };
  const $ = (id) => document.getElementById(id);
  let token = "";
  let state = { status: null, list: [], health: null };
  let language = (navigator.languages || ["fr"]).map((l) => l.slice(0, 2)).find((l) => l === "fr" || l === "en") || "fr";

  const t = (key) => TEXTS[language][key] || key;
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
  const when = (text) => (text ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text)) : t("never"));
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
    return new Intl.NumberFormat(language, { maximumFractionDigits: unit ? 1 : 0 }).format(value) + " " + units[unit];
  };

  const show = (id, text) => { $(id).textContent = text; $(id).hidden = !text; };
  const say = (text) => { show("message", text); show("error", ""); };
  const complain = (text) => { show("error", text); show("message", ""); };

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
  const explain = (problem) => [problem.message, problem.body && problem.body.detail].filter(Boolean).join(" — ");

  async function attempt(work) {
    try { return await work(); } catch (problem) {
      if (problem.status === 401) { token = ""; enter(t("wrong_token")); } else if (problem.status === 403) { token = ""; enter(explain(problem)); } else complain(explain(problem));
      return null;
    }
  }

  // Follows a job to its end, drawing its progress; gives its result.
  async function follow(job) {
    $("running").hidden = false;
    $("cancel").onclick = () => attempt(() => call("POST", "jobs/" + job + "/cancel"));
    try {
      for (;;) {
        const now = await call("GET", "jobs/" + job);
        const total = now.progress && now.progress.documents_total;
        $("running-text").textContent = t("working") + now.kind + (now.progress ? " (" + now.progress.phase + ")" : "") + " ";
        if (total) { $("progress").max = total; $("progress").value = now.progress.documents; } else $("progress").removeAttribute("value");
        if (now.state === "done") return now.result;
        if (now.state !== "running") throw new Problem(500, now.error ? { title: now.error.title, detail: now.error.message } : { title: now.state });
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    } finally { $("running").hidden = true; }
  }
  async function job(path, body) {
    const started = await call("POST", path, body || {});
    return started.job && !started.file ? follow(started.job) : started;
  }

  function translate() {
    document.documentElement.lang = language;
    $("language").value = language;
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
    if (state.status) draw();
  }

  function fact(name, value) { return node("div", {}, node("dt", {}, name), node("dd", {}, value)); }

  function draw() {
    const { status, list, health } = state;
    $("database").textContent = status.database;
    $("health").textContent = health.healthy ? t("healthy") : t("unhealthy");
    $("health").className = health.healthy ? "good" : "bad";
    $("problems").replaceChildren(...health.problems.map((one) => node("li", {}, t(one.reason))));
    $("facts").replaceChildren(fact(t("last_good"), when(health.last_backup) + ago(health.age_s)), fact(t("checked"), health.verified ? t("yes") : t("no")),
      fact(t("next_run"), health.next_run ? when(health.next_run) : t("none")), fact(t("space"), bytes(health.free_bytes)));
    $("empty").hidden = list.length > 0;
    $("list").hidden = list.length === 0;
    $("list").tBodies[0].replaceChildren(...list.map(row));
  }

  function marks(item) {
    const out = [];
    const add = (key, kind) => out.push(node("span", { class: "mark " + kind }, t(key)));
    if (item.latest) add("latest", "good");
    if (item.state === "suspect") add("suspect", "bad");
    if (item.pinned) add("pinned", "good");
    if (item.kind === "before_restore") add("safety", "warn");
    if (item.problem) add("old_problem", "bad"); else if (item.legacy) add("legacy", "warn"); else if (!item.verified) add("unverified", "warn");
    if (item.label) out.push(node("span", {}, item.label));
    if (item.suspect_reason) out.push(node("div", { class: "file" }, t(item.suspect_reason)));
    return out;
  }

  function row(item) {
    const name = item.filename;
    const date = when(item.backup_date || item.modified);
    const button = (key, work, kind) => node("button", { type: "button", class: kind || false, "aria-label": t(key) + " " + name, click: work }, t(key));
    const marked = (path, body) => () => attempt(async () => { await job(path, body); say(t("done")); await refresh(); });
    const actions = [button("restore", () => restore(item), "danger"), button("details", () => details(item)),
      button("verify", marked("verify", { filename: name })), button("download", () => download(name)),
      button(item.pinned ? "unpin" : "pin", marked("pin", { filename: name, value: !item.pinned }))];
    if (item.state === "suspect") actions.push(button("accept", marked("accept", { filename: name })));
    actions.push(button("remove", () => remove(name), "danger"));
    return node("tr", {}, node("th", { scope: "row" }, date, node("div", { class: "file" }, name)),
      node("td", { "data-name": t("size") }, bytes(item.size_bytes)), node("td", { "data-name": t("documents") }, number(item.documents), counts(item)),
      node("td", {}, ...marks(item)), node("td", {}, ...actions));
  }

  function counts(item) {
    const all = Object.entries(item.counts || {});
    if (all.length === 0) return "";
    return node("details", {}, node("summary", {}, number(all.length) + " " + t("in_collections")),
      node("ul", { class: "plain" }, ...all.map(([name, documents]) => node("li", {}, name + " : " + number(documents)))));
  }

  const table = (heads, rows) => node("table", {}, node("thead", {}, node("tr", {}, ...heads.map((head) => node("th", { scope: "col" }, head)))),
    node("tbody", {}, ...rows.map((cells) => node("tr", {}, node("th", { scope: "row" }, cells[0]), ...cells.slice(1).map((cell) => node("td", {}, cell))))));

  let opened = 0;
  async function restore(item) {
    const mine = ++opened;  // an earlier one's preview may still come
    const database = state.status.database;
    const file = item.filename;
    let shown = false;
    const may = () => { $("restore-go").disabled = !shown || $("confirm").value !== database; };
    $("restore-file").textContent = file + " — " + when(item.backup_date || item.modified);
    $("confirm-text").textContent = t("confirm") + database;
    $("confirm").value = "";
    $("confirm").oninput = may;
    $("preview").replaceChildren();
    $("preview-wait").textContent = t("preview_wait");
    may();
    $("restore").showModal();
    $("restore-go").onclick = () => {
      $("restore").close();
      attempt(async () => { const done = await job("restore", { filename: file }); say(t("done") + (done.safety_file ? " " + t("undo") + done.safety_file + "." : "")); await refresh(); });
    };
    try {
      const preview = await job("restore", { filename: file, dry_run: true });
      if (mine !== opened) return;
      const words = (one) => (!one.in_backup ? t("kept") : one.now === null ? t("created") : one.same ? t("same") : t("different"));
      $("preview").replaceChildren(table([t("collection"), t("now"), t("after"), t("change")],
        preview.collections.map((one) => [one.name, number(one.now), number(one.in_backup ? one.after : one.now), words(one)])));
      $("preview-wait").textContent = (preview.warnings || []).join(" ");
      shown = true;
    } catch (problem) {
      if (mine !== opened) return;
      $("preview-wait").textContent = explain(problem);
    }
    may();
  }

  async function details(item) {
    await attempt(async () => {
      const all = await call("GET", "files/" + encodeURIComponent(item.filename));
      $("details-title").textContent = item.filename;
      $("details-body").replaceChildren(item.label ? node("p", {}, t("reason") + " : " + item.label) : "",
        all.problem ? node("p", { class: "bad" }, all.problem) : "",
        table([t("collection"), t("documents"), t("size"), t("index_count")], Object.entries(all.collections || {}).map(([name, one]) =>
          [name, number(one.documents), bytes(one.bson_bytes), number(((all.catalog || {})[name] || { indexes: [] }).indexes.length)])));
      $("details").showModal();
    });
  }

  // A form, so that the browser streams the file to disk and the token stands in no address. With a cookie a link is enough.
  function download(name) {
    if (!token) {
      node("a", { href: "download/" + encodeURIComponent(name), download: name }).click();
      return;
    }
    const form = node("form", { method: "post", action: "download/" + encodeURIComponent(name), hidden: "" },
      node("input", { type: "hidden", name: "token", value: token }));
    document.body.append(form);
    form.submit();
    form.remove();
  }

  async function remove(name) {
    $("ask-text").textContent = t("ask_remove") + name + " ?";
    $("ask-yes").textContent = t("remove");
    $("ask").returnValue = "";
    $("ask").showModal();
    await new Promise((resolve) => $("ask").addEventListener("close", resolve, { once: true }));
    if ($("ask").returnValue !== "yes") return;
    await attempt(async () => { await call("DELETE", "files/" + encodeURIComponent(name)); say(t("done")); await refresh(); });
  }

  async function refresh() {
    const status = await call("GET", "status");
    const [list, health] = await Promise.all([call("GET", "list"), call("GET", "health")]);
    state = { status, list: list.backups, health };
    $("login").hidden = true;
    $("logout").hidden = !token;  // a cookie is the host's to take back
    $("content").hidden = false;
    draw();
    if (status.running && $("running").hidden) attempt(async () => { await follow(status.running.id); await refresh(); });
  }

  function enter(problem) {
    $("content").hidden = true;
    $("login").hidden = false;
    $("database").textContent = "";
    if (problem) complain(problem);
    $("token").focus();
  }

  $("language").addEventListener("change", () => { language = $("language").value; translate(); });
  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    token = $("token").value.trim();
    $("token").value = "";
    show("error", "");
    attempt(refresh);
  });
  $("logout").addEventListener("click", () => { token = ""; state.status = null; enter(""); });
  $("create").addEventListener("submit", (event) => {
    event.preventDefault();
    const label = $("label").value.trim();
    attempt(async () => {
      const made = await job("create", label ? { label } : {});
      $("label").value = "";
      say(t("done") + " " + made.file);
      await refresh();
    });
  });
  // The host's page hands its token over: one of the same origin, or the one that shows this page in a frame, which only those
  // that the host chose can do. It is told when this page listens.
  const host = window.parent !== window ? window.parent : window.opener;
  window.addEventListener("message", (event) => {
    const trusted = event.origin === location.origin || (event.source === window.parent && window.parent !== window);
    if (!trusted || !event.data || typeof event.data.reprise_token !== "string") return;
    token = event.data.reprise_token;
    attempt(refresh);
  });
  if (host) host.postMessage({ reprise: "ready" }, "*");
  // What other people do shows within half a minute; never under an open dialog.
  setInterval(() => {
    const busy = !state.status || document.hidden || !$("running").hidden || document.querySelector("dialog[open], details[open]");
    if (!busy) refresh().catch(() => {});
  }, 30000);
  translate();
  refresh().catch((problem) => token || enter(problem.status === 401 || problem.status === 403 ? "" : explain(problem)));
})();
