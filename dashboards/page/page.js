"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const locale = supported(data.about.locale);
  const all = "", none = "\u0000";

  // Text that comes from Odoo only ever becomes text.
  function el(name, attributes, ...children) {
    const node = name.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4)) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  function supported(name) {
    try { return Intl.NumberFormat.supportedLocalesOf(name)[0]; } catch { return undefined; }
  }

  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const fraction = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  function money(value, currency) {
    if (value === null || value === undefined) return "";
    try {
      return new Intl.NumberFormat(locale, { style: "currency", currency }).format(value);
    } catch {
      return fraction.format(value) + (currency ? " " + currency : "");
    }
  }

  // A day has no time zone.
  function day(text, options) {
    if (!text) return "";
    const date = new Date(text + "T00:00:00Z");
    return new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options }).format(date);
  }
  const full = { year: "numeric", month: "short", day: "numeric" };
  const monthly = { year: "numeric", month: "short" };

  const rows = (name) => (data.sections[name] && data.sections[name].rows) || [];
  const sum = (list, key) => list.reduce((total, row) => total + Number(row[key] || 0), 0);

  function grouped(list, key) {
    const groups = new Map();
    for (const row of list) {
      const name = key(row);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
    return groups;
  }

  // Filters.

  const currencySelect = document.getElementById("currency");
  const branchSelect = document.getElementById("branch");

  function fill(select, choices) {
    select.replaceChildren(...choices.map(([value, text]) => el("option", { value }, text)));
    select.disabled = choices.length < 2;
  }

  const amounts = new Map();
  for (const name of ["sales", "hours", "margin", "tenders", "cash"]) {
    for (const row of rows(name)) {
      const currency = row.currency === null ? none : row.currency;
      amounts.set(currency, (amounts.get(currency) || 0) + Number(row.orders || row.payments || 0));
    }
  }
  const currencies = [...amounts.keys()].sort((a, b) => amounts.get(b) - amounts.get(a) || (a < b ? -1 : 1));
  fill(currencySelect, currencies.map((code) => [code, code === none ? "(none)" : code]));

  const branches = new Map();
  for (const name of ["sales", "hours", "tenders", "cash"]) {
    for (const row of rows(name)) {
      if (row.branch_id !== null && row.branch_id !== undefined) branches.set(String(row.branch_id), row.branch || "#" + row.branch_id);
    }
  }
  const ordered = [...branches].sort((a, b) => a[1].localeCompare(b[1], locale));
  fill(branchSelect, [[all, "All"], ...ordered]);

  const chosen = () => ({ currency: currencySelect.value, branch: branchSelect.value });
  const isOf = (row, choice, hasBranch) =>
    (row.currency === null ? none : row.currency) === choice.currency
    && (!hasBranch || choice.branch === all || String(row.branch_id) === choice.branch);

  // Parts of sections.

  function table(caption, columns, list) {
    const kind = (column) => (column.number ? "number" : null);
    return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", {},
        el("caption", {}, caption),
        el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col", class: kind(column) }, column.title)))),
        el("tbody", {}, list.map((row) => el("tr", {}, columns.map((column) => {
          const shown = column.show(row);
          return el("td", { class: [kind(column), column.mark && column.mark(row)].filter(Boolean).join(" ") || null },
            shown === null || shown === undefined ? "" : String(shown));
        }))))));
  }

  function behind(...content) {
    return el("details", {}, el("summary", {}, "Numbers"), ...content);
  }

  function figures(list) {
    return el("dl", { class: "figures" }, list.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  }

  function legend(names) {
    return el("ul", { class: "legend" }, names.map((name, index) => el("li", {},
      el("svg:svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, el("svg:rect", { width: 10, height: 10, class: "f" + index % 10 })), name)));
  }

  // A chart is as wide as its place, so that its letters are as large as the page's.
  const gap = 16, padding = 34, narrowest = 480;

  function room(isWide) {
    const page = Math.min(document.documentElement.clientWidth, 1216) - 2 * gap;
    const isHalf = !isWide && page >= 2 * narrowest + gap;
    return Math.max((isHalf ? (page - gap) / 2 : page) - padding, 240);
  }

  const letters = (text) => String(text).length * 6.7;

  function ticks(most) {
    if (!(most > 0)) return [0];
    const rough = most / 4, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
    const found = [];
    for (let at = 0; at < most + step; at += step) found.push(at);
    return found;
  }

  // Columns, one on the other; what is below zero hangs below the line.
  function stacked(width, label, starts, names, value, title, tick) {
    const height = 280, left = 52, bottom = 34, top = 10;
    const positive = starts.map((start) => names.reduce((total, name) => total + Math.max(value(start, name), 0), 0));
    const negative = starts.map((start) => names.reduce((total, name) => total + Math.min(value(start, name), 0), 0));
    const least = Math.min(0, ...negative), marks = ticks(Math.max(...positive, -least, 0));
    const most = marks[marks.length - 1] || 1;
    const scale = (height - top - bottom) / (most - least);
    const y = (amount) => top + (most - amount) * scale;
    const step = (width - left) / Math.max(starts.length, 1), bar = Math.max(step * 0.8, 1);
    const svg = el("svg:svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    for (const mark of marks) {
      svg.append(el("svg:line", { x1: left, x2: width, y1: y(mark), y2: y(mark), class: "axis" }),
        el("svg:text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, short.format(mark)));
    }
    const every = Math.ceil(starts.length * Math.max(...starts.map((start) => letters(tick(start)) + 12), 0) / (width - left));
    starts.forEach((start, index) => {
      let up = 0, down = 0;
      const x = left + index * step + (step - bar) / 2;
      names.forEach((name, place) => {
        const amount = value(start, name);
        if (!amount) return;
        const from = amount > 0 ? up : down, to = from + amount;
        if (amount > 0) up = to; else down = to;
        svg.append(el("svg:rect", { x, width: bar, y: Math.min(y(from), y(to)), height: Math.abs(y(from) - y(to)), class: "f" + place % 10 },
          el("svg:title", {}, title(start, name, amount))));
      });
      if (index % every === 0) svg.append(el("svg:text", { x: x + bar / 2, y: height - 12, "text-anchor": "middle" }, tick(start)));
    });
    return svg;
  }

  // Bars beside each other's names.
  function bars(label, list, name, value, shown) {
    const width = room(false), line = 26, left = Math.min(170, width * 0.36), right = Math.max(...list.map((row) => letters(shown(row))), 0) + 10;
    const longest = Math.floor((left - 8) / 7.2);
    const most = Math.max(...list.map((row) => Math.abs(value(row))), 0) || 1;
    const svg = el("svg:svg", { viewBox: `0 0 ${width} ${line * list.length + 4}`, role: "img", "aria-label": label });
    list.forEach((row, index) => {
      const text = name(row), length = Math.abs(value(row)) / most * (width - left - right), y = index * line;
      svg.append(
        el("svg:text", { x: left - 8, y: y + 17, "text-anchor": "end", class: "name" }, text.length > longest ? text.slice(0, longest - 1) + "…" : text, el("svg:title", {}, text)),
        el("svg:rect", { x: left, y: y + 4, width: Math.max(length, 1), height: line - 8, class: value(row) < 0 ? "f6" : "f0" }, el("svg:title", {}, `${text}: ${shown(row)}`)),
        el("svg:text", { x: left + length + 6, y: y + 17 }, shown(row)));
    });
    return svg;
  }

  const wide = ["sales", "stock_outs", "sync"];

  function section(name, title, about, ...content) {
    const found = data.sections[name];
    const body = found && found.missing
      ? [el("p", { class: "bad" }, "Not shown: " + found.missing)]
      : content.length ? content : [el("p", {}, "There is nothing to show.")];
    const id = "h-" + name;
    return el("section", { "aria-labelledby": id, id: "s-" + name, class: wide.includes(name) ? "wide" : null },
      el("h2", { id }, title), about ? el("p", {}, about) : null, ...body);
  }

  // Sections.

  const kinds = { "sale orders": "Sale orders", "no branch": "No branch", "other branches": "Other branches" };

  function sales(choice) {
    const unit = (data.sections.sales || {}).unit || "day";
    const list = rows("sales").filter((row) => isOf(row, choice, true));
    const title = `Sales by branch and ${unit}`;
    if (!list.length) return section("sales", title);
    const names = [...grouped(list, (row) => (row.kind === "branch" ? row.branch || "#" + row.branch_id : kinds[row.kind]))]
      .sort((a, b) => sum(b[1], "amount") - sum(a[1], "amount"));
    const value = new Map();
    for (const [name, of] of names) for (const row of of) value.set(row.start + none + name, (value.get(row.start + none + name) || 0) + Number(row.amount));
    const starts = periods(list.map((row) => row.start), unit);
    const as = unit === "month" ? monthly : full;
    const tick = (start) => day(start, unit === "month" ? { year: "2-digit", month: "short" } : { month: "short", day: "numeric" });
    const orders = sum(list, "orders"), amount = sum(list, "amount");
    return section("sales", title, `${unit === "week" ? "Weeks from" : "From"} ${day(starts[0], as)} to ${day(starts[starts.length - 1], as)}, with taxes, refunds taken off`,
      figures([["Amount", money(amount, choice.currency)], ["Orders", whole.format(orders)], ["Of an order", orders ? money(amount / orders, choice.currency) : "–"]]),
      stacked(room(true), title, starts, names.map(([name]) => name), (start, name) => value.get(start + none + name) || 0,
        (start, name, amount) => `${name}, ${day(start, as)}: ${money(amount, choice.currency)}`, tick),
      legend(names.map(([name]) => name)),
      behind(table(title, [
        { title: unit === "week" ? "Week from" : unit === "month" ? "Month" : "Day", show: (row) => day(row.start, as) },
        { title: "Branch", show: (row) => (row.kind === "branch" ? row.branch || "#" + row.branch_id : kinds[row.kind]) },
        { title: "Orders", number: true, show: (row) => whole.format(row.orders) },
        { title: "Amount", number: true, show: (row) => money(row.amount, choice.currency) },
      ], list)));
  }

  // Every period from the first to the last one, those without sales too.
  function periods(starts, unit) {
    const sorted = [...new Set(starts)].sort(), found = [];
    const date = new Date(sorted[0] + "T00:00:00Z"), last = new Date(sorted[sorted.length - 1] + "T00:00:00Z");
    while (date <= last) {
      found.push(date.toISOString().slice(0, 10));
      if (unit === "month") date.setUTCMonth(date.getUTCMonth() + 1);
      else date.setUTCDate(date.getUTCDate() + (unit === "week" ? 7 : 1));
    }
    return found;
  }

  function hours(choice) {
    const list = rows("hours").filter((row) => isOf(row, choice, true));
    if (!list.length) return section("hours", "Hour of the day");
    const of = grouped(list, (row) => row.hour);
    const known = [...of.keys()].filter((hour) => hour !== null);
    const starts = [...Array(24).keys()].slice(Math.min(...known), Math.max(...known) + 1);
    return section("hours", "Hour of the day", "Orders of the last 90 days with sales, in the branches' own time",
      stacked(room(false), "Orders by the hour of the day", starts, ["Orders"], (hour) => sum(of.get(hour) || [], "orders"),
        (hour, _, orders) => `${hour}:00: ${whole.format(orders)} orders`, (hour) => String(hour)),
      behind(table("Orders by the hour of the day", [
        { title: "Hour", number: true, show: (row) => (row.hour === null ? "unknown" : row.hour) }, { title: "Orders", number: true, show: (row) => whole.format(row.orders) },
        { title: "Amount", number: true, show: (row) => money(row.amount, choice.currency) },
      ], [...starts, ...(of.has(null) ? [null] : [])].map((hour) => ({ hour, orders: sum(of.get(hour) || [], "orders"), amount: sum(of.get(hour) || [], "amount") })))));
  }

  function margin(choice) {
    const list = rows("margin").filter((row) => isOf(row, choice, false));
    const title = "Margin by category";
    if (!list.length) return section("margin", title);
    const percent = (row) => (row.percent === null ? "–" : tenth.format(row.percent) + " %");
    return section("margin", title, "Of the last twelve months with sales, before taxes, in the company's currency; of all branches",
      bars(title, list.filter((row) => row.margin !== null).sort((a, b) => b.margin - a.margin), (row) => row.top || "No category", (row) => Number(row.margin), (row) => `${short.format(row.margin)} (${percent(row)})`),
      behind(table(title, [
        { title: "Category", show: (row) => row.top || "No category" },
        { title: "Revenue", number: true, show: (row) => money(row.revenue, choice.currency) },
        { title: "Cost", number: true, show: (row) => money(row.cost, choice.currency) },
        { title: "Margin", number: true, show: (row) => money(row.margin, choice.currency) },
        { title: "Of revenue", number: true, show: percent },
        { title: "Estimated", number: true, show: (row) => money(row.estimated, choice.currency) },
        { title: "Without cost", number: true, show: (row) => money(row.without_cost, choice.currency) },
      ], list)));
  }

  function tenders(choice) {
    const title = "Tender mix";
    const of = grouped(rows("tenders").filter((row) => isOf(row, choice, true)), (row) => row.payment_method);
    const list = [...of].map(([name, paid]) => ({ name: name || "(none)", amount: sum(paid, "amount"), payments: sum(paid, "payments") }))
      .sort((a, b) => b.amount - a.amount);
    if (!list.length) return section("tenders", title);
    const total = sum(list, "amount");
    const share = (row) => (total ? tenth.format(row.amount / total * 100) + " %" : "–");
    return section("tenders", title, "How customers paid in the last 90 days with payments, less the change",
      bars(title, list.slice(0, 12), (row) => row.name, (row) => row.amount, share),
      behind(table(title, [
        { title: "Payment method", show: (row) => row.name }, { title: "Payments", number: true, show: (row) => whole.format(row.payments) },
        { title: "Amount", number: true, show: (row) => money(row.amount, choice.currency) }, { title: "Share", number: true, show: share },
      ], list)));
  }

  function stockOuts() {
    const title = "Stock-outs", list = rows("stock_outs"), count = (data.sections.stock_outs || {}).count || 0;
    if (!list.length) return section("stock_outs", title);
    return section("stock_outs", title, count > list.length
      ? `${whole.format(list.length)} of ${whole.format(count)}: what sold most in 90 days and is not there` : "What sold in 90 days and is not there",
      table(title, [
        { title: "Warehouse", show: (row) => row.warehouse }, { title: "Product", show: (row) => row.product }, { title: "Code", show: (row) => row.sku, mark: () => "code" },
        { title: "On hand", number: true, show: (row) => fraction.format(row.on_hand), mark: (row) => (row.on_hand < 0 ? "bad" : "") },
        { title: "Sold", number: true, show: (row) => fraction.format(row.sold) }, { title: "Last sale", show: (row) => day(row.last_sale, full) },
      ], list));
  }

  function cash(choice) {
    const title = "Cash differences", list = rows("cash").filter((row) => isOf(row, choice, true));
    if (!list.length) return section("cash", title);
    return section("cash", title, "Of the last twelve months, the largest ones; counted less expected",
      table(title, [
        { title: "Month", show: (row) => day(row.month, monthly) }, { title: "Branch", show: (row) => row.branch }, { title: "Cashier", show: (row) => row.cashier },
        { title: "Sessions", number: true, show: (row) => `${whole.format(row.off)} / ${whole.format(row.sessions)}` },
        { title: "Difference", number: true, show: (row) => money(row.difference, choice.currency), mark: (row) => (row.difference < 0 ? "bad" : "good") },
      ], list));
  }

  function age(seconds) {
    if (seconds === null) return "never";
    if (seconds < 120) return `${whole.format(seconds)} s`;
    if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
    return seconds < 172800 ? `${whole.format(seconds / 3600)} h` : `${whole.format(seconds / 86400)} d`;
  }

  function sync() {
    const title = "Sync", list = rows("sync");
    if (!list.length) return section("sync", title);
    const troubled = list.filter((row) => row.trouble >= 2).length, lags = list.map((row) => row.lag_seconds).filter((lag) => lag !== null);
    return section("sync", title, null,
      figures([["Tables", whole.format(list.length)], ["In trouble", whole.format(troubled)], ["Oldest", lags.length ? age(Math.max(...lags)) : "never"],
        ["Quarantined", whole.format(sum(list, "quarantined"))], ["Missing", whole.format(sum(list, "missing"))]]),
      table("Tables of the warehouse", [
        { title: "Table", show: (row) => row.target }, { title: "State", show: (row) => row.state, mark: (row) => (row.trouble >= 2 ? "bad" : "") },
        { title: "Age", number: true, show: (row) => age(row.lag_seconds) }, { title: "Rows, about", number: true, show: (row) => (row.rows_estimate === null ? "" : whole.format(row.rows_estimate)) },
        { title: "Quarantined", number: true, show: (row) => whole.format(row.quarantined) }, { title: "Missing", number: true, show: (row) => whole.format(row.missing) },
        { title: "Last error", show: (row) => row.last_error },
      ], list));
  }

  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  document.getElementById("about").textContent = `Database ${data.about.database}, server ${data.about.server}, as of ${time.format(new Date(data.about.generated_at))}`;

  function draw() {
    const choice = chosen(), sections = document.getElementById("sections");
    const opened = [...sections.querySelectorAll("section:has(details[open])")].map((section) => section.id);
    sections.replaceChildren(
      sales(choice), hours(choice), tenders(choice), margin(choice), cash(choice), stockOuts(), sync());
    for (const id of opened) document.querySelector(`#${id} details`)?.setAttribute("open", "");
  }
  let drawn = document.documentElement.clientWidth;
  window.addEventListener("resize", () => {
    if (document.documentElement.clientWidth === drawn) return;
    drawn = document.documentElement.clientWidth;
    draw();
  });
  currencySelect.addEventListener("change", draw);
  branchSelect.addEventListener("change", draw);
  draw();
})();
