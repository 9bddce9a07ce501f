"use strict";
const byId = (id) => document.getElementById(id);
const form = byId("form");
let csrfToken = null;

async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (csrfToken !== null) headers["X-CSRF-Token"] = csrfToken;
  let response;
  try {
    response = await fetch(`../v1/${path}`, {
      method, headers, credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The server cannot be reached. Please try again.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error ?? `The server answered ${response.status}.`);
  return answer;
}

function show(id, message) {
  byId(id).textContent = message;
  byId(id).hidden = message === "";
}

function firstMistake() {
  let first = null;
  for (const input of form.querySelectorAll("input[required]")) {
    const good = input.checkValidity();
    input.setAttribute("aria-invalid", String(!good));
    if (!good && first === null) first = input;
  }
  return first;
}

async function busy(button, work, errorId) {
  button.disabled = true;
  show(errorId, "");
  try {
    await work();
  } catch (error) {
    show(errorId, error.message);
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const mistake = firstMistake();
  if (mistake !== null) {
    show("error", `${form.querySelector(`label[for=${mistake.id}]`).textContent}: ${mistake.validationMessage}`);
    mistake.focus();
    return;
  }
  const body = { token: form.dataset.token, ...Object.fromEntries(new FormData(form)) };
  busy(form.querySelector("button"), async () => {
    await call("POST", form.dataset.endpoint, body);
    const session = await call("GET", "session");
    csrfToken = session.csrf_token;
    byId("welcome").textContent = `Welcome to ${session.team.name}, ${session.teammate.firstName}`;
    byId("join").hidden = true;
    byId("done").hidden = false;
    history.replaceState(null, "", location.pathname.replace(/[^/]*$/, "done"));
    byId("welcome").focus();
  }, "error");
});

byId("show").addEventListener("change", (event) => {
  byId("password").type = event.target.checked ? "text" : "password";
});

byId("new_key").addEventListener("click", (event) => {
  busy(event.target, async () => {
    const made = await call("POST", "keys", { mode: "live", name: "My first key" });
    byId("key").value = made.key;
    byId("new_key").hidden = true;
    byId("key_made").hidden = false;
    byId("key").focus();
    byId("key").select();
  }, "key_error");
});

byId("copy").addEventListener("click", async () => {
  byId("key").select();
  try {
    await navigator.clipboard.writeText(byId("key").value);
    byId("status").textContent = "Copied.";
  } catch {
    byId("status").textContent = "Press Ctrl+C (or ⌘C) to copy.";
  }
});
