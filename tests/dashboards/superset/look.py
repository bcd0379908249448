"""look.py URL PASSWORD FOLDER SLUG…: opens each dashboard as admin, waits for its charts, and leaves SLUG.png in FOLDER. Prints
what each chart was answered, and what the page has to complain of."""

import json
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

#: So tall that every chart is in view: those outside are not asked for.
SIZE = {"width": 1440, "height": 3200}
CHART = ".dashboard-component-chart-holder"
BOTTOM = f"Math.max(...[...document.querySelectorAll('{CHART}')].map((one) => one.getBoundingClientRect().bottom))"


class Visit:
    """One dashboard, opened in a page of its own."""

    def __init__(self, context, url, slug):
        self.url, self.slug = url, slug
        charts = context.request.get(f"{url}/api/v1/dashboard/{slug}/charts").json()["result"]
        self.charts = {chart["id"]: chart["slice_name"] for chart in charts}
        self.answers, self.complaints = {}, []
        self.page = context.new_page()
        self.page.on("response", self.hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(f"{message.text} {message.location['url']}"))

    def hear(self, response):
        if "/api/v1/chart/data" not in response.url:
            if response.status >= 400:
                self.complaints.append(f"{response.status} {response.url}")
            return
        asked = response.request.post_data_json
        name = self.charts.get(asked.get("form_data", {}).get("slice_id"))
        if name and response.ok:
            earlier = self.answers.get(name, {}).get("asked", [])
            rows = [row for result in response.json()["result"] for row in result["data"]]
            self.answers[name] = {"rows": rows, "asked": [*earlier, asked["queries"][0]]}
        elif name:
            self.answers[name] = {"error": response.text()}

    def see(self, picture):
        self.page.goto(f"{self.url}/superset/dashboard/{self.slug}/")
        self.page.wait_for_selector(CHART)
        deadline = time.monotonic() + 120
        while len(self.answers) < len(self.charts) and time.monotonic() < deadline:
            self.page.wait_for_timeout(250)
        self.page.wait_for_function("!document.querySelector('.dashboard .loading, [data-test=loading-indicator]')")
        # Charts grow as they appear.
        self.page.wait_for_timeout(2000)
        self.complaints += self.page.locator(".dashboard .ant-alert-error, [data-test=error-boundary]").all_inner_texts()
        self.page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": SIZE["width"], "height": int(self.page.evaluate(BOTTOM)) + 24})
        return {"charts": list(self.charts.values()), "answers": self.answers, "complaints": self.complaints}


def log_in(context, url, password):
    page = context.new_page()
    page.goto(f"{url}/login/")
    page.fill("#username", "admin")
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda now: "/login" not in now)
    page.close()


def main(url, password, folder, *slugs):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZE)
        context.set_default_timeout(90_000)
        # Superset counts its users at a place of its own.
        context.route(lambda asked: not asked.startswith(url), lambda route: route.fulfill(status=204))
        log_in(context, url, password)
        print(json.dumps({slug: Visit(context, url, slug).see(Path(folder) / f"{slug}.png") for slug in slugs}))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
