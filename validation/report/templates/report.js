// Figures that answer. Without this script they are still pictures: each lies in a <noscript>, which is mere text to a
// page with scripts, and is made of it once the page stands, or when the closed part around it is opened. So the page
// opens without their thousands of elements; its place and its buttons are in the page from the start, so that nothing
// moves when it is made.
// Buttons hide and show what carries a tag; the pointer, or the arrow keys on a focused figure, read values off the
// drawn lines: `data-axes` holds each panel's box in SVG units and the limits and scales of its axes.
"use strict";
(() => {
  const scales = {
    linear: [(v) => v, (u) => u],
    log: [(v) => Math.log10(v), (u) => 10 ** u],
    asinh: [(v, w) => Math.asinh(v / w), (u, w) => w * Math.sinh(u)],
  };

  function value([low, high, scale, width], part) {
    const [to, from] = scales[scale] || scales.linear;
    return from(to(low, width) + part * (to(high, width) - to(low, width)), width);
  }

  const shown = (v) => String(Number(v.toPrecision(3)));

  // Points of a drawn line in SVG units: the corners of its path, or the places of its markers.
  function points(group) {
    const marks = group.querySelectorAll("use");
    if (marks.length) return Array.from(marks, (m) => [Number(m.getAttribute("x")), Number(m.getAttribute("y"))]);
    const path = group.querySelector("path");
    const numbers = path ? path.getAttribute("d").match(/-?[\d.]+(?:e-?\d+)?/g) || [] : [];
    const found = [];
    for (let k = 0; k + 1 < numbers.length; k += 2) found.push([Number(numbers[k]), Number(numbers[k + 1])]);
    return found;
  }

  const tags = (group) => group.dataset.tags.split("~").filter(Boolean);

  function toggles(figure, groups) {
    const off = new Set();
    for (const button of figure.querySelectorAll(".toggles button")) {
      const tag = button.textContent;
      button.addEventListener("click", () => {
        const on = off.delete(tag) || !off.add(tag);
        button.setAttribute("aria-pressed", String(on));
        for (const group of groups) group.toggleAttribute("data-off", tags(group).some((name) => off.has(name)));
      });
    }
  }

  function readings(figure, svg, groups) {
    const axes = JSON.parse(svg.dataset.axes);
    const panel = (group) => Number(/axes_(\d+)$/.exec(group.closest("[id*=axes_]").id)[1]) - 1;
    const lines = groups
      .filter((group) => !group.dataset.tags.startsWith("~"))
      .map((group) => ({ group, axes: axes[panel(group)] }))
      .filter((line) => line.axes);
    if (!lines.length) return;
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.setAttribute("role", "status");
    figure.append(tip);
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    dot.setAttribute("r", "3.5");
    dot.setAttribute("fill", "currentColor");
    dot.setAttribute("visibility", "hidden");
    svg.append(dot);

    function hide() {
      tip.textContent = "";
      dot.setAttribute("visibility", "hidden");
    }

    function show(line, index) {
      const [x, y] = line.points[index];
      const [x0, y0, x1, y1] = line.axes.box;
      const across = value(line.axes.x, (x - x0) / (x1 - x0));
      const up = value(line.axes.y, (y1 - y) / (y1 - y0));
      const [nameX, nameY] = line.axes.names;
      tip.textContent = `${tags(line.group).join(", ")}: ${nameY || "y"} = ${shown(up)} at ${nameX || "x"} = ${shown(across)}`;
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
      dot.setAttribute("visibility", "visible");
      const place = dot.getBoundingClientRect();
      const home = figure.getBoundingClientRect();
      const left = Math.min(place.right - home.left + 6, home.width - tip.offsetWidth);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${place.bottom - home.top + 6}px`;
    }

    function visible() {
      for (const line of lines) line.points ??= points(line.group); // when first asked for
      return lines.filter((line) => line.points.length && !line.group.hasAttribute("data-off"));
    }

    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let best = null;
      for (const line of visible()) {
        const [x0, y0, x1, y1] = line.axes.box;
        if (at.x < x0 || at.x > x1 || at.y < y0 || at.y > y1) continue;
        line.points.forEach(([x, y], index) => {
          const far = (x - at.x) ** 2 + (y - at.y) ** 2;
          if (!best || far < best.far) best = { line, index, far };
        });
      }
      if (best && best.far < 900) show(best.line, best.index);
      else hide();
    });
    svg.addEventListener("pointerleave", hide);

    let current = 0;
    let index = 0;
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
      const open = visible();
      if (event.key === "Escape") hide();
      if (!moves[event.key] || !open.length) return;
      event.preventDefault();
      const [along, between] = moves[event.key];
      current = (current + between + open.length) % open.length;
      const last = open[current].points.length - 1;
      const step = Math.max(1, Math.round(last / 50));
      index = Math.min(last, Math.max(0, between ? index : index + along * step));
      show(open[current], index);
    });
  }

  function enliven(figure) {
    const svg = figure.querySelector("svg[data-axes]");
    if (!svg) return;
    const groups = [...svg.querySelectorAll("g[data-tags]")];
    toggles(figure, groups);
    readings(figure, svg, groups);
  }

  function draw(figure) {
    const waiting = figure.querySelector("noscript");
    if (!waiting) return;
    waiting.outerHTML = waiting.textContent;
    enliven(figure);
  }

  function goTo(id) {
    const part = document.getElementById(id);
    if (part instanceof HTMLDetailsElement) part.open = true;
  }

  const figures = [...document.querySelectorAll("figure")].filter((figure) => !figure.closest("details"));
  function inTurn() {
    if (!figures.length) return;
    draw(figures.shift());
    setTimeout(inTurn);
  }
  addEventListener("load", () => setTimeout(inTurn));
  addEventListener("beforeprint", () => figures.forEach(draw));
  for (const part of document.querySelectorAll("details")) {
    part.addEventListener("toggle", () => part.querySelectorAll("figure").forEach(draw));
  }
  addEventListener("hashchange", () => goTo(location.hash.slice(1)));
  goTo(location.hash.slice(1));
})();
