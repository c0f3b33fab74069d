// A digit drawn by mouse, pen or finger becomes the picture of the form: white strokes on black, cut to what was drawn
// and scaled to fill the picture, as the digits are that the model learned from.
(() => {
  const place = document.querySelector("[data-draw]");
  if (!place) return;
  place.hidden = false;
  const canvas = place.querySelector("[data-draw-canvas]");
  const input = document.querySelector("[data-picture-input]");
  const pen = canvas.getContext("2d");
  const WIDTH = 30;
  const SIDE = 32;
  let bounds = null; // left, top, right, bottom of the strokes
  let last = null;

  const clear = () => {
    pen.fillStyle = "black";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    bounds = last = null;
  };

  const pointOf = (event) => {
    const frame = canvas.getBoundingClientRect();
    const scale = canvas.width / frame.width;
    return [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
  };

  const strokeTo = ([x, y]) => {
    pen.strokeStyle = "white";
    pen.lineWidth = WIDTH;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...(last ?? [x, y]));
    pen.lineTo(x, y);
    pen.stroke();
    last = [x, y];
    const [left, top, right, bottom] = bounds ?? [x, y, x, y];
    bounds = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  };

  const picture = () => {
    const small = document.createElement("canvas");
    small.width = small.height = SIDE;
    const [left, top, right, bottom] = bounds;
    const width = right - left + WIDTH;
    const height = bottom - top + WIDTH;
    const scale = SIDE / Math.max(width, height);
    const brush = small.getContext("2d");
    brush.fillRect(0, 0, SIDE, SIDE);
    brush.imageSmoothingQuality = "high";
    const [w, h] = [width * scale, height * scale];
    brush.drawImage(canvas, left - WIDTH / 2, top - WIDTH / 2, width, height, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
    return small;
  };

  const use = () => picture().toBlob((blob) => {
    const files = new DataTransfer();
    files.items.add(new File([blob], "drawn-digit.png", { type: "image/png" }));
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, "image/png");

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokeTo(pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last) event.getCoalescedEvents().concat(event).forEach((each) => strokeTo(pointOf(each)));
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, () => {
      if (last) use();
      last = null;
    });
  }
  place.querySelector("[data-draw-clear]").addEventListener("click", () => {
    clear();
    document.querySelector("[data-picture-reset]").click();
  });
  input.addEventListener("change", () => { if (input.files[0]?.name !== "drawn-digit.png") clear(); });
  clear();
})();
