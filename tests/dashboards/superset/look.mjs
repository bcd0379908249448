// look.mjs URL PASSWORD FOLDER SLUG…: opens each dashboard as admin, waits for its charts, and leaves SLUG.png in FOLDER.
// Prints what each chart was answered, and what the page has to complain of.
import { join } from "node:path";
import { chromium } from "playwright-core";

const [url, password, folder, ...slugs] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--force-prefers-reduced-motion"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
// Superset counts its users at a place of its own.
await context.route((to) => to.origin !== new URL(url).origin, (route) => route.fulfill({ status: 204 }));
const page = await context.newPage();
page.setDefaultTimeout(90_000);

async function login() {
  await page.goto(`${url}/login/`);
  await page.fill("input[name=username], #username", "admin");
  await page.fill("input[name=password], #password", password);
  await Promise.all([
    page.waitForURL((to) => !to.pathname.startsWith("/login")),
    page.click("button[type=submit], input[type=submit]"),
  ]);
}

/** The charts of a dashboard by their id. */
async function chartsOf(slug) {
  const answer = await context.request.get(`${url}/api/v1/dashboard/${slug}/charts`);
  return new Map((await answer.json()).result.map((chart) => [chart.id, chart.slice_name]));
}

async function open(slug) {
  const charts = await chartsOf(slug);
  const answers = {};
  const complaints = [];
  const listen = async (response) => {
    if (!response.url().includes("/api/v1/chart/data")) {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
      return;
    }
    const asked = response.request().postDataJSON();
    const name = charts.get(asked.form_data?.slice_id);
    if (!name) return;
    const text = await response.text();
    answers[name] = response.ok()
      ? { rows: JSON.parse(text).result.flatMap((one) => one.data), asked: [...(answers[name]?.asked ?? []), asked.queries[0]] }
      : { error: text };
  };
  const tell = (message) => message.type() === "error" && complaints.push(`${message.text()} ${message.location().url}`);
  const crash = (error) => complaints.push(String(error));
  page.on("response", listen).on("console", tell).on("pageerror", crash);
  // So tall that every chart is in view: those outside are not asked for.
  await page.setViewportSize({ width: 1440, height: 3200 });
  await page.goto(`${url}/superset/dashboard/${slug}/`);
  await page.waitForSelector(".dashboard-component-chart-holder");
  const deadline = Date.now() + 120_000;
  while (Object.keys(answers).length < charts.size && Date.now() < deadline) await page.waitForTimeout(250);
  await page.waitForFunction(() => !document.querySelector(".dashboard .loading, [data-test=loading-indicator]"));
  await page.waitForTimeout(2_000);
  for (const text of await page.locator(".dashboard .ant-alert-error, [data-test=error-boundary]").allInnerTexts()) complaints.push(text);
  const bottom = await page.evaluate(() =>
    Math.max(...[...document.querySelectorAll(".dashboard-component-chart-holder")].map((one) => one.getBoundingClientRect().bottom)));
  await page.screenshot({ path: join(folder, `${slug}.png`), clip: { x: 0, y: 0, width: 1440, height: Math.ceil(bottom + 24) } });
  page.off("response", listen).off("console", tell).off("pageerror", crash);
  return { charts: [...charts.values()], answers, complaints };
}

try {
  await login();
  const seen = {};
  for (const slug of slugs) seen[slug] = await open(slug);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
