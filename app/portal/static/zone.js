// The zone of a new account is that of the browser, where it tells.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  for (const field of document.querySelectorAll("input[data-zone]")) field.value = zone;
  for (const link of document.querySelectorAll("a[data-zone]")) {
    const target = new URL(link.href);
    target.searchParams.set("zone", zone);
    link.href = target.href;
  }
})();
