// Asks for the page again when a figure moved, and puts in what changed. The page works without it.
(function () {
  "use strict";
  if (!window.EventSource || !window.fetch || !document.querySelector("[data-live]")) return;
  var busy = false, again = false;
  function show() {
    if (busy) { again = true; return; }
    busy = true;
    fetch(location.href, { credentials: "same-origin", headers: { accept: "text/html" } })
      .then(function (answer) { return answer.ok ? answer.text() : null; })
      .then(function (text) {
        if (!text) return;
        var fresh = new DOMParser().parseFromString(text, "text/html");
        document.querySelectorAll("[data-live]").forEach(function (old) {
          var now = fresh.getElementById(old.id);
          // What the keyboard is in stays as it is until the next time.
          if (now && now.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) {
            old.innerHTML = now.innerHTML;
          }
        });
      })
      .catch(function () {})
      .then(function () { busy = false; if (again) { again = false; show(); } });
  }
  new EventSource("/boards/live").onmessage = show;
})();
