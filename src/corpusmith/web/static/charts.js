// Charts: drawn from the numbers that stand beside them, in the page's colours, as they are now.
"use strict";

(() => {
  const root = document.documentElement;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const figures = new Intl.NumberFormat(root.lang);
  const charts = new Map();
  const ROW = 30;
  const library = document.currentScript.dataset.drawsWith;
  let asked = false;

  const colours = () => {
    const style = getComputedStyle(root);
    const of = (name) => style.getPropertyValue(name).trim();
    return {
      "": of("--celadon"), good: of("--celadon"), bad: of("--cinnabar"), quiet: of("--line-strong"),
      ink: of("--ink"), faint: of("--ink-2"), line: of("--line"), sheet: of("--sheet"),
      font: getComputedStyle(document.body).fontFamily,
    };
  };

  // ------------------------------------------------------------ what is drawn

  function names(kind, data, colour, width) {
    const text = { color: colour.faint, fontFamily: colour.font, fontSize: 12 };
    return {
      type: "category",
      data: data.map((one) => one.name),
      inverse: kind === "rows",
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour.line } },
      axisLabel: kind === "rows"
        ? { ...text, width: Math.min(150, width * 0.36), overflow: "truncate" }
        : { ...text, hideOverlap: true, fontSize: 11, rotate: data.length > 6 && width < 420 ? 40 : 0 },
    };
  }

  function option(kind, data, width) {
    const colour = colours();
    const text = { color: colour.faint, fontFamily: colour.font, fontSize: 12 };
    const values = {
      type: "value", minInterval: 1, axisLabel: { show: false }, splitLine: { show: false },
      axisLine: { show: false }, axisTick: { show: false },
    };
    const axes = [names(kind, data, colour, width), values];
    return {
      animation: !still.matches,
      animationDuration: 250,
      aria: { enabled: false },
      grid: kind === "rows"
        ? { left: 4, right: 64, top: 4, bottom: 4, containLabel: true }
        : { left: 4, right: 4, top: 24, bottom: 4, containLabel: true },
      // Its markup would have styles of its own, which the policy forbids: drawn, not written.
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: colour.sheet, borderColor: colour.line,
        textStyle: { color: colour.ink, fontFamily: colour.font, fontSize: 13 },
        formatter: (one) => `${plain(one.name)}  ${figures.format(one.value)}`,
      },
      xAxis: kind === "rows" ? axes[1] : axes[0],
      yAxis: kind === "rows" ? axes[0] : axes[1],
      series: [{
        type: "bar",
        barMaxWidth: kind === "rows" ? 16 : 44,
        barMinHeight: 2,
        data: data.map((one) => ({
          // Nothing is drawn of nothing; of a little, enough to be seen and met.
          value: one.value || null,
          itemStyle: { color: colour[one.tone] ?? colour[""], borderRadius: 3 },
          cursor: one.href ? "pointer" : "default",
        })),
        label: {
          ...text, show: true, position: kind === "rows" ? "right" : "top",
          formatter: (one) => (one.value ? figures.format(one.value) : ""),
        },
        emphasis: { itemStyle: { opacity: 0.8 } },
      }],
    };
  }

  // `{a|b}` in a name would be taken for a style.
  const plain = (name) => name.replaceAll("{", "｛").replaceAll("}", "｝").slice(0, 120);

  // ------------------------------------------------------------ the charts of a page

  function draw(place) {
    const { chart, data } = charts.get(place);
    chart.setOption(option(place.dataset.chart, data, place.clientWidth), true);
  }

  // What draws is larger than all else on the page: it comes when the page is there and a chart is
  // about to be seen. Its room is kept from the start, so that nothing moves.
  const near = new IntersectionObserver((seen) => {
    if (asked || !seen.some((one) => one.isIntersecting)) return;
    asked = true;
    const script = document.createElement("script");
    script.src = library;
    script.addEventListener("load", sweep);
    const fetch = () => document.head.append(script);
    if (document.readyState === "complete") fetch();
    else window.addEventListener("load", fetch, { once: true });
  }, { rootMargin: "600px" });

  function begin(place) {
    if (charts.has(place)) return;
    const data = JSON.parse(place.querySelector("script").textContent);
    const rows = place.dataset.chart === "rows";
    place.style.height = `${rows ? data.length * ROW + 12 : 220}px`;
    if (!window.echarts) { near.observe(place); return; }
    near.unobserve(place);
    const room = place.appendChild(document.createElement("div"));
    room.className = "plot-room";
    const chart = window.echarts.init(room, null, { renderer: "canvas" });
    charts.set(place, { chart, data });
    chart.on("click", (one) => { if (data[one.dataIndex].href) location.assign(data[one.dataIndex].href); });
    draw(place);
    sizes.observe(place);
  }

  const sizes = new ResizeObserver((changed) => {
    for (const { target } of changed) {
      if (!charts.has(target)) continue;
      charts.get(target).chart.resize();
      draw(target);
    }
  });

  function sweep() {
    for (const [place, { chart }] of charts) {
      if (!place.isConnected) { sizes.unobserve(place); chart.dispose(); charts.delete(place); }
    }
    document.querySelectorAll("[data-chart]").forEach(begin);
  }

  sweep();
  document.addEventListener("htmx:after:swap", sweep);
  new MutationObserver(() => charts.forEach((_, place) => draw(place)))
    .observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
  still.addEventListener("change", () => charts.forEach((_, place) => draw(place)));
})();
