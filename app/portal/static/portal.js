// What every page can do beyond plain HTML: copy a text and say so, close a menu, keep the focus where somebody works.
(() => {
  const SAID_MS = 2000;
  const timers = new WeakMap();
  const said = document.createElement("div"); // read out by screen readers: a button's new label is not
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  document.body.append(said);

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // a page that came by plain HTTP has no clipboard of its own
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  function sayCopied(button) {
    const label = button.querySelector("[data-copy-label]") ?? button;
    const { copied } = button.dataset;
    button.dataset.copyBefore ??= label.textContent;
    label.textContent = copied;
    said.replaceChildren(copied);
    window.clearTimeout(timers.get(button));
    timers.set(button, window.setTimeout(() => {
      label.textContent = button.dataset.copyBefore;
      said.replaceChildren();
    }, SAID_MS));
  }

  document.addEventListener("click", async (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await copy(document.querySelector(button.dataset.copy).textContent.trim());
    sayCopied(button);
    button.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // While a form's answer is on its way its button says so. It is not disabled: that would take the focus from it.
  function setWaiting(form, waiting) {
    for (const button of form.querySelectorAll?.("button[type=submit]") ?? []) {
      if (waiting) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }
  document.addEventListener("htmx:before:request", (event) => setWaiting(event.detail.ctx.sourceElement, true));
  document.addEventListener("htmx:finally:request", (event) => setWaiting(event.detail.ctx.sourceElement, false));

  // An error stands above the page, perhaps out of sight: whoever caused it is led there. The next answer takes it away.
  document.addEventListener("htmx:after:swap", (event) => {
    if (!said.isConnected) document.body.append(said);
    const notice = document.querySelector("#notice");
    if (event.detail.ctx.hx?.retarget === "#notice") notice?.focus({ preventScroll: true });
    else notice?.replaceChildren();
  });
})();
