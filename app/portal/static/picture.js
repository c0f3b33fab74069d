// Shows the picture that will be sent, however it came: chosen, dropped, or drawn (draw.js).
(() => {
  const input = document.querySelector("[data-picture-input]");
  if (!input) return;
  const drop = document.querySelector("[data-picture-drop]");
  const preview = document.querySelector("[data-picture-preview]");
  const name = document.querySelector("[data-picture-name]");
  const reset = document.querySelector("[data-picture-reset]");
  const exampleAddress = preview.src;

  const tellSize = (file) => {
    const large = file && file.size > Number(input.dataset.bytesMax);
    input.setCustomValidity(large ? input.dataset.tooLarge : "");
    if (large) input.reportValidity();
  };

  const show = () => {
    if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
    const file = input.files[0];
    tellSize(file);
    preview.src = file ? URL.createObjectURL(file) : exampleAddress;
    name.textContent = file ? file.name : "";
    name.hidden = reset.hidden = !file;
    document.querySelector("[data-picture-example]").hidden = Boolean(file);
  };
  input.addEventListener("change", show);
  window.addEventListener("pageshow", show); // a browser that comes back remembers the choice

  reset.addEventListener("click", () => {
    input.value = "";
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });

  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      drop.classList.add("dropping");
    });
  }
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("dropping");
  });
  drop.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    drop.classList.remove("dropping");
    const [item] = [...event.dataTransfer.items].filter((each) => each.kind === "file");
    const file = item?.webkitGetAsEntry?.()?.isDirectory ? null : item?.getAsFile();
    if (!file) return; // a folder
    const one = new DataTransfer();
    one.items.add(file);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
