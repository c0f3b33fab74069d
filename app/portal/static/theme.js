// Before anything is painted: a page that follows the device is dark where the device is.
(() => {
  const root = document.documentElement;
  root.dataset.scripted = ""; // what only a script can do is shown where there is one
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  follow();
  dark.addEventListener("change", follow);
})();
