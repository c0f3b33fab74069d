// A digit drawn by mouse, pen or finger becomes the picture of the form, made as the digits were that the model learned
// from: white strokes on black, cut to what was drawn, scaled to fill the picture, averaged to 8 x 8 shades of grey.
(() => {
  const place = document.querySelector("[data-draw]");
  if (!place) return;
  place.hidden = false;
  const canvas = place.querySelector("[data-draw-canvas]");
  const input = document.querySelector("[data-picture-input]");
  const pen = canvas.getContext("2d");
  const WIDTH = 40;
  const SIDE = 8;
  const BLOCK = 8;
  let bounds = null; // left, top, right, bottom of the strokes
  let last = null;
  let pointer = null; // the one that draws: a second finger draws nothing

  const clear = () => {
    pen.fillStyle = "black";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    bounds = last = pointer = null;
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

  // The strokes, cut out and scaled to fill a square of 64 x 64.
  const cutOut = () => {
    const square = document.createElement("canvas");
    square.width = square.height = SIDE * BLOCK;
    const [left, top, right, bottom] = bounds;
    const width = right - left + WIDTH;
    const height = bottom - top + WIDTH;
    const scale = square.width / Math.max(width, height);
    const [w, h] = [width * scale, height * scale];
    const brush = square.getContext("2d");
    brush.fillRect(0, 0, square.width, square.height);
    brush.imageSmoothingQuality = "high";
    brush.drawImage(canvas, left - WIDTH / 2, top - WIDTH / 2, width, height, (square.width - w) / 2, (square.height - h) / 2, w, h);
    return brush.getImageData(0, 0, square.width, square.height);
  };

  // The picture: each of its 8 x 8 pixels is the mean of a block of what was cut out.
  const picture = () => {
    const large = cutOut();
    const small = document.createElement("canvas");
    small.width = small.height = SIDE;
    const brush = small.getContext("2d");
    const pixels = brush.createImageData(SIDE, SIDE);
    const sums = new Float64Array(SIDE * SIDE);
    for (let at = 0; at < large.width * large.height; at += 1) {
      const [row, column] = [Math.floor(at / large.width), at % large.width];
      sums[Math.floor(row / BLOCK) * SIDE + Math.floor(column / BLOCK)] += large.data[4 * at];
    }
    sums.forEach((sum, at) => {
      const shade = Math.round(sum / (BLOCK * BLOCK));
      pixels.data.set([shade, shade, shade, 255], 4 * at);
    });
    brush.putImageData(pixels, 0, 0);
    return small;
  };

  // At once, not when a blob is ready: whoever presses Run sends what is drawn.
  const use = () => {
    const content = atob(picture().toDataURL("image/png").split(",")[1]);
    const bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "drawn-digit.png", { type: "image/png" }));
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    strokeTo(pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const between = event.getCoalescedEvents?.() ?? []; // pages that came by plain HTTP have none
    [...between, event].forEach((each) => strokeTo(pointOf(each)));
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => {
      if (event.pointerId !== pointer) return;
      use();
      last = pointer = null;
    });
  }
  place.querySelector("[data-draw-clear]").addEventListener("click", () => {
    clear();
    document.querySelector("[data-picture-reset]").click();
  });
  input.addEventListener("change", () => { if (input.files[0]?.name !== "drawn-digit.png") clear(); });
  clear();
})();
