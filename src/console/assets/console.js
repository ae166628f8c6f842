// What pages do beyond HTML. Every page works without it.

// Times in the zone and the words of the reader; the time in UTC is at hand.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  const utc = time.textContent;
  time.title = utc;
  time.textContent = format.format(moment);
  // Where there is room, both are there to be read.
  if (time.closest("dd")) {
    const small = document.createElement("small");
    small.textContent = ` (${utc})`;
    time.after(small);
  }
}

// Numbers as the reader writes them.
const numbers = new Intl.NumberFormat();
for (const number of document.querySelectorAll("data[value]")) {
  number.textContent = numbers.format(Number(number.value));
}

// Columns at once, and in the address, so that the page can be shared and comes back.
const columns = document.getElementById("columns");
columns?.addEventListener("change", () => columns.requestSubmit());

// Copies a secret. "Copied" is said only after it was.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const status = document.getElementById("status");
  const state = document.getElementById("copy-state");
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.focus();
    field.select();
    let said = "Press Ctrl-C or ⌘-C to copy: the text is selected.";
    try {
      await navigator.clipboard.writeText(field.value);
      said = "Copied.";
      if (state) state.textContent = "Copied. This page shows the secret once: nobody can show it again.";
    } catch {
      // Without TLS, or without leave, browsers copy nothing by themselves.
    }
    // Said again also if it is the same as before.
    status.textContent = "";
    requestAnimationFrame(() => (status.textContent = said));
  });
}

// One form makes one token; the service sees to that. This only spares a second try.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((one) => (one.disabled = true))));
}
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button:disabled").forEach((one) => (one.disabled = false));
});

// After a form was refused, what is wrong is read first.
document.querySelector(".faults, [aria-invalid=true]")?.focus();
