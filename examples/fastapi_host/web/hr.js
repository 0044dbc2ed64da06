"use strict";
// Logs in, imports a sheet, and offers the way back when the import broke off. The token is a cookie that no script reads.
const $ = (id) => document.getElementById(id);
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
let saved = null;

const say = (text) => { $("said").textContent = text; };

async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  const found = answer.status === 204 ? {} : await answer.json();
  return { ok: answer.ok, found };
}

async function look() {
  const { ok, found } = await ask("api/me");
  $("login").hidden = ok;
  $("inside").hidden = !ok;
  if (ok) $("who").textContent = `${found.name} <${found.email}>`;
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { ok, found } = await ask("api/login", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  event.target.elements.password.value = "";
  say(ok ? "" : found.detail);
  await look();
});

$("logout").addEventListener("click", async () => {
  await ask("api/logout", { method: "POST" });
  await look();
});

$("import").addEventListener("submit", async (event) => {
  event.preventDefault();
  say("Saving the database, then importing …");
  $("offer").hidden = true;
  const file = event.target.elements.file.files[0];
  const { ok, found } = await ask("api/import", { method: "POST", headers: { "Content-Type": XLSX }, body: file });
  if (ok) return say(`${found.imported} people imported; the database as it was before is kept in ${found.backup}.`);
  saved = found.backup ?? null;
  say(`The import broke off: ${found.detail}`);
  $("offer").hidden = saved === null;
  $("offered").textContent = `The database as it was before the import is in ${saved}.`;
});

$("restore").addEventListener("click", async () => {
  say("Putting everything back …");
  const { ok, found } = await ask("api/backup/restore", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Reprise": "1", "Accept-Language": "en" },
    body: JSON.stringify({ filename: saved }),
  });
  $("offer").hidden = ok;
  say(ok ? `Everything is as it was before the import: ${found.documents} documents.` : found.title);
});

look();
