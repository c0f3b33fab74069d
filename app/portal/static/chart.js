// Draws a stacked bar chart beside a table, from the table's own cells: what it shows is what the table says.
// Columns with `data-series` are drawn, their cells carry `data-value`; rows stand newest first and are drawn oldest first.
(() => {
  const SERIES_MAX = 8; // more colours than that nobody tells apart
  const root = document.documentElement;
  const number = new Intl.NumberFormat(root.lang);
  const drawn = new Map();

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  function seriesOf(table, others) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.querySelectorAll("tr")].filter((row) => row.querySelector("[data-value]")).reverse();
    const series = heads.flatMap((head, index) => head.hasAttribute("data-series")
      ? [{ label: head.textContent.trim(), data: rows.map((row) => Number(row.cells[index].dataset.value)) }] : []);
    return { labels: rows.map((row) => row.cells[0].textContent.trim()), series: folded(series, others) };
  }

  function folded(series, others) {
    if (series.length <= SERIES_MAX) return series;
    const rest = series.slice(SERIES_MAX - 1);
    const data = rest[0].data.map((_, index) => rest.reduce((sum, each) => sum + each.data[index], 0));
    return [...series.slice(0, SERIES_MAX - 1), { label: others, data }];
  }

  function scales() {
    const ticks = { color: colour("--chart-text"), maxRotation: 0, autoSkipPadding: 16 };
    return {
      x: { stacked: true, grid: { display: false }, border: { color: colour("--chart-line") }, ticks },
      y: {
        stacked: true, beginAtZero: true, border: { display: false }, grid: { color: colour("--chart-line") },
        ticks: { ...ticks, precision: 0, maxTicksLimit: 6, callback: (value) => number.format(value) },
      },
    };
  }

  function plugins(many) {
    const label = (item) => `${item.dataset.label}: ${number.format(item.raw)}`;
    const footer = (items) => (items.length > 1 ? number.format(items.reduce((sum, item) => sum + item.raw, 0)) : "");
    return {
      legend: {
        display: many, align: "start", position: "bottom",
        labels: { color: colour("--chart-text"), usePointStyle: true, pointStyle: "rectRounded", boxHeight: 8, padding: 16 },
      },
      tooltip: { filter: (item) => item.raw !== 0, callbacks: { label, footer }, boxPadding: 4, padding: 10 },
    };
  }

  function draw(box) {
    const table = document.querySelector(box.dataset.chart);
    if (!table) return;
    drawn.get(box)?.destroy();
    const { labels, series } = seriesOf(table, box.dataset.others);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", box.dataset.label);
    box.replaceChildren(canvas);
    box.hidden = false;
    const datasets = series.map((each, index) => ({
      ...each, backgroundColor: colour(`--chart-${index + 1}`), borderRadius: 3, borderSkipped: "middle",
      maxBarThickness: 44, categoryPercentage: 0.8, barPercentage: 1,
    }));
    drawn.set(box, new Chart(canvas, {
      type: "bar",
      data: { labels, datasets },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false }, scales: scales(), plugins: plugins(series.length > 1),
      },
    }));
  }

  function drawWhatIsNew() {
    for (const [box, chart] of drawn) {
      if (!box.isConnected) { chart.destroy(); drawn.delete(box); }
    }
    for (const box of document.querySelectorAll("[data-chart]")) if (!drawn.has(box)) draw(box);
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawWhatIsNew();
  new MutationObserver(drawWhatIsNew).observe(document.body, { childList: true, subtree: true });
  new MutationObserver(() => [...drawn.keys()].forEach(draw)).observe(root, { attributeFilter: ["data-bs-theme"] });
})();
