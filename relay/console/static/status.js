"use strict";
// Looks for news every few seconds and says so when there is no connection.  The page is complete without it.
(() => {
  const body = document.body;
  const every = Number(body.dataset.every) * 1000;
  const old = 10000;
  let tag = "";
  let good = performance.now(); // when the figures were last known to be true
  let at = Date.parse(body.dataset.now); // the relay's clock at that moment
  let busy = 0; // until then nothing is moved under a finger
  let failed = false;
  const lost = document.getElementById("lost");
  let told = { hidden: lost.hidden, text: lost.textContent }; // what the relay itself says of its figures

  const here = () => at + performance.now() - good;
  const two = (n) => String(n).padStart(2, "0");
  const clock = (ms, zone) => {
    const t = new Date(ms + zone * 60000);
    return two(t.getUTCHours()) + ":" + two(t.getUTCMinutes()) + ":" + two(t.getUTCSeconds());
  };
  const pair = (n, large, L, small, S) => {
    const rest = Math.floor((n % large) / small);
    return Math.floor(n / large) + " " + L + (rest ? " " + rest + " " + S : "");
  };
  const age = (seconds) => {
    const n = Math.max(0, Math.floor(seconds));
    const [s, min, h, d] = body.dataset.units.split(",");
    if (n < 60) return n + " " + s;
    if (n < 600) return pair(n, 60, min, 1, s);
    if (n < 3600) return Math.floor(n / 60) + " " + min;
    return n < 86400 ? pair(n, 3600, h, 60, min) : pair(n, 86400, d, 3600, h);
  };
  const put = (id, text) => {
    const element = document.getElementById(id);
    if (element && element.textContent !== text) element.textContent = text;
  };

  const tick = () => {
    const zone = Number(body.dataset.zone);
    put("clock", clock(here(), zone));
    put("utc", clock(here(), 0));
    put("age", age((performance.now() - good) / 1000));
    for (const time of document.querySelectorAll("time")) {
      time.textContent = age((here() - Date.parse(time.dateTime)) / 1000);
    }
    const gone = failed || performance.now() - good > old;
    lost.hidden = !gone && told.hidden;
    put("lost", gone ? body.dataset.lost.replace("{}", clock(at, zone)) : told.text);
    body.classList.toggle("old", !lost.hidden);
  };

  const show = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("main");
    if (!fresh) return location.reload();
    const focus = document.activeElement && document.activeElement.getAttribute("href");
    const top = window.scrollY;
    document.title = page.title;
    Object.assign(body.dataset, page.body.dataset);
    document.getElementById("main").replaceWith(document.adoptNode(fresh));
    document.querySelector("header").replaceWith(document.adoptNode(page.querySelector("header")));
    window.scrollTo(0, top);
    if (focus) for (const link of document.links) if (link.getAttribute("href") === focus) { link.focus({ preventScroll: true }); break; }
    at = Date.parse(body.dataset.now);
    const banner = page.getElementById("lost");
    told = { hidden: banner.hidden, text: banner.textContent };
  };

  const look = async () => {
    if (performance.now() < busy || document.hidden) return;
    const asked = performance.now();
    const before = here();
    try {
      const headers = { Accept: "text/html" };
      if (tag) headers["If-None-Match"] = tag;
      const answer = await fetch(location.href, { headers, cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(every * 2) });
      if (answer.status === 401) return location.reload();
      if (answer.status !== 304 && !answer.ok) throw new Error(answer.status);
      failed = false;
      good = asked;
      at = Date.parse(answer.headers.get("X-Time")) || before;
      if (answer.status === 200) {
        tag = answer.headers.get("ETag") || "";
        show(await answer.text());
      }
    } catch (error) {
      failed = true;
    }
    tick();
  };

  const touched = () => { busy = performance.now() + 1500; };
  for (const kind of ["pointerdown", "keydown", "touchstart"]) addEventListener(kind, touched, { passive: true });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  addEventListener("online", look);
  setInterval(tick, 1000);
  // A few bytes every few seconds say that nothing has changed; where they do not come the page asks by itself.
  const news = new EventSource("/events" + location.search);
  news.addEventListener("message", (event) => {
    good = performance.now();
    at = Number(event.data) * 1000;
    failed = false;
  });
  news.addEventListener("changed", look);
  news.addEventListener("open", look);
  setInterval(() => { if (news.readyState !== EventSource.OPEN || performance.now() - good > 2 * every) look(); }, every);
})();
