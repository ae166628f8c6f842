// What pages do beyond HTML. Every page works without it.

// Times in the zone and the words of the reader; the time in UTC is at hand.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.title = time.textContent;
  time.textContent = format.format(moment);
}

// After a form was refused, what is wrong is read first.
document.querySelector(".faults, [aria-invalid=true]")?.focus();
