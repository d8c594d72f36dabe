"use strict";
// Tables: a button in each head sorts, a field above long ones searches. ---------------------------

const MULTIPLES = { k: 1e3, M: 1e6, B: 1e9, T: 1e12 };

// What a cell is sorted by: a date or name as text, else the first number in it.
function sortKey(text) {
  const plain = text.trim().replaceAll(",", "");
  if (/^\d{4}-\d\d-\d\d/.test(plain)) return plain.slice(0, 10);
  if (plain.startsWith("∞")) return Infinity;
  const found = plain.match(/^[<>≤≥=\s]*([-+]?\d+(?:\.\d+)?)([kMBT](?![a-z]))?/);
  if (!found) return plain.toLowerCase();
  const value = Number(found[1]) * (found[2] ? MULTIPLES[found[2]] : 1);
  return plain.startsWith(">") ? value + 1e-9 : plain.startsWith("<") ? value - 1e-9 : value;
}

function compare(a, b) {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? -1 : 1; // what has no number comes last
}

function sortTable(table, column, head) {
  const descending = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => {
    const cell = row.cells[column]; // the key is there where a locale writes it otherwise
    return [sortKey(cell.dataset.key ?? cell.textContent), row];
  });
  rows.sort((a, b) => (descending ? -1 : 1) * compare(a[0], b[0]));
  body.append(...rows.map((entry) => entry[1]));
}

for (const table of document.querySelectorAll("table")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.title = "Sort";
    head.replaceChildren(button);
    button.addEventListener("click", () => sortTable(table, column, head));
  });
}

for (const field of document.querySelectorAll("input[data-finds]")) {
  const rows = [...document.getElementById(field.dataset.finds).tBodies[0].rows];
  const status = field.closest(".find").querySelector("[role=status]");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = (row.textContent + " " + row.title).toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    status.textContent = count === rows.length ? `${count} rows` : `${count} of ${rows.length} rows`;
  });
}

// Calculator --------------------------------------------------------------------------------------

const ORIGIN = Date.UTC(2022, 10, 30);
const DAY = 86400000;

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = Math.floor(place), rest = place - low;
  if (rest === 0 || sorted[low] === sorted[low + 1]) return sorted[low];
  return sorted[low] + rest * (sorted[low + 1] - sorted[low]);
}

// ln density of the frontier of one draw: straight between knots, and on past the last one.
function frontierAt(times, values, time) {
  let i = 0;
  while (i < times.length - 2 && time >= times[i + 1]) i += 1;
  const slope = (values[i + 1] - values[i]) / (times[i + 1] - times[i]);
  return values[i] + slope * (time - times[i]);
}

// Years until the frontier of one draw reaches a ln density; Infinity where it never does.
function yearsUntil(times, values, start, target) {
  if (frontierAt(times, values, start) >= target) return 0;
  for (let i = 0; i < times.length - 1; i += 1) {
    const last = i === times.length - 2;
    const end = last ? Infinity : times[i + 1];
    if (end <= start) continue;
    const slope = (values[i + 1] - values[i]) / (times[i + 1] - times[i]);
    if (!(slope > 0)) continue;
    const at = Math.max(times[i] + (target - values[i]) / slope, start);
    if (at <= end) return at - start;
  }
  return Infinity;
}

// Shelf life and pay-back from the draws of a page; input as the sliders say.
function answer(draws, input) {
  const time = (Date.parse(input.date) - ORIGIN) / DAY / draws.days_per_year;
  const result = { life: [], effective: [], visits: [], daily: [] };
  draws.frontier.forEach((values, i) => {
    // the frontier at a size: the one at the mean size, and the size slope
    const slope = draws.size_slope[i];
    const above = frontierAt(draws.times, values, time) + Math.log(input.density);
    const density = above + slope * (Math.log(input.params) - draws.mean_log_params);
    const years = yearsUntil(draws.times, values, time, above + (1 + slope) * Math.log(input.kappa));
    const life = years * draws.days_per_year;
    const halving = draws.halving_days[i];
    const earning = (halving / Math.LN2) * (1 - Math.pow(2, -life / halving));
    const perVisit = input.margin * input.price * draws.tokens_per_visit[i] / 1e6;
    const daily = life > 0 ? input.cost / (perVisit * earning) : Infinity;
    result.life.push(life);
    result.effective.push(Math.exp(density) * input.params);
    result.daily.push(daily);
    result.visits.push(life > 0 ? daily * life : Infinity);
  });
  const found = {};
  for (const [name, values] of Object.entries(result)) {
    found[name] = [0.5, 0.025, 0.975].map((share) => quantile(values, share));
  }
  found.passed = result.life.filter((life) => life === 0).length / result.life.length;
  found.successor = input.params / input.kappa;
  return found;
}

function written(value) {
  if (!Number.isFinite(value)) return "unbounded";
  for (const [size, word] of [[1e12, " trillion"], [1e9, " billion"], [1e6, " million"]]) {
    if (value >= size) return Number((value / size).toPrecision(3)) + word;
  }
  return String(Number(value.toPrecision(3)));
}

const days = (value) => (value >= 10 && value < 1e6 ? String(Math.round(value)) : written(value));

function withInterval([median, lower, upper], form = written) {
  return `${form(median)} (${form(lower)} to ${form(upper)})`;
}

// Sliders move in equal ratios where a quantity spans orders of magnitude.
const RANGES = {
  params: { low: 1e8, high: 1e12, ratio: true, text: written },
  date: { text: (value) => value },
  density: { low: 0.1, high: 4, ratio: true, text: (value) => Number(value.toPrecision(2)) },
  kappa: { low: 1.1, high: 16, ratio: true, text: (value) => Number(value.toPrecision(3)) },
  cost: { low: 1e4, high: 1e10, ratio: true, text: written },
  price: { low: 0.01, high: 100, ratio: true, text: (value) => Number(value.toPrecision(3)) },
  margin: { low: 0.01, high: 1, ratio: false, text: (value) => value.toFixed(2) },
};
const STEPS = 1000;

function calculatorOf(root) {
  const draws = JSON.parse(document.getElementById("calculator-draws").textContent);
  const fields = [...root.querySelectorAll("input[data-key]")];
  const placeOf = (date) => Math.round((Date.parse(date) - Date.parse(draws.first)) / DAY);
  const valueOf = (field) => {
    const { low, high, ratio } = RANGES[field.dataset.key];
    const place = Number(field.value);
    if (field.dataset.key === "date") {
      return new Date(Date.parse(draws.first) + place * DAY).toISOString().slice(0, 10);
    }
    const share = place / STEPS;
    return ratio ? low * Math.pow(high / low, share) : low + (high - low) * share;
  };
  for (const field of fields) {
    const key = field.dataset.key;
    const { low, high, ratio } = RANGES[key];
    const start = { density: 1, ...draws.start }[key];
    field.min = 0;
    field.step = key === "date" ? 1 : 0.01;
    field.max = key === "date" ? placeOf(draws.last) : STEPS;
    const share = ratio ? Math.log(start / low) / Math.log(high / low) : (start - low) / (high - low);
    field.value = key === "date" ? placeOf(start) : STEPS * share;
    field.addEventListener("input", update);
  }
  function update() {
    const input = {};
    for (const field of fields) {
      const key = field.dataset.key;
      input[key] = valueOf(field);
      const text = String(RANGES[key].text(input[key]));
      document.getElementById(`shown-${key}`).textContent = text;
      field.setAttribute("aria-valuetext", text);
    }
    const found = answer(draws, input);
    const say = (key, text) => (document.getElementById(`answer-${key}`).textContent = text);
    say("life", withInterval(found.life, days));
    say("passed", found.passed.toFixed(3));
    say("effective", withInterval(found.effective));
    say("successor", written(found.successor));
    say("visits", withInterval(found.visits));
    say("daily", withInterval(found.daily));
  }
  update();
}

const calculator = document.getElementById("calculator");
if (calculator) calculatorOf(calculator);
