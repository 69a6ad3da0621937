#!/usr/bin/env python3
"""Makes docs/screenshots: the main pages of the site on a demo hub, light, dark and on a phone.

Usage: screenshots.py [--out FOLDER] [--only NAME ...] [--serve]
  --only   names of pictures, without "-dark" and "-phone"
  --serve  fill the demo hub, print its address and wait
The templates and scripts are those of this checkout (HEARTH_WEB_FOLDER), so that nothing needs to be built but the program.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]
import python_env  # noqa: E402


def ask_the_model(page):
    page.locator("[data-island=widget][data-ready]").wait_for()
    page.locator("[name=source_sentence]").fill("A dog sleeps on the sofa.")
    page.locator("[name=sentences]").fill("A cat naps on the couch.\nIt will rain tomorrow.\nThe puppy is asleep.")
    page.locator(".widget [type=submit]").click()
    page.locator(".heat").wait_for(timeout=60_000)


def show_a_digit(page):
    page.locator("[data-island=widget][data-ready]").wait_for()
    page.get_by_role("button", name="Seven").click()
    page.locator(".preview img").wait_for()
    page.locator(".widget [type=submit]").click()
    page.locator(".bars li").first.wait_for(timeout=60_000)


# name, address, who looks, what to do before the picture
PAGES = [
    ("home", "/", None, None),
    ("home-signed-in", "/", "ada", None),
    ("models", "/models", None, None),
    ("datasets", "/datasets", None, None),
    ("spaces", "/spaces", None, None),
    ("card", "/meridian/all-MiniLM-L6-v2", None, None),
    ("card-asked", "/meridian/all-MiniLM-L6-v2", None, ask_the_model),
    ("card-picture", "/meridian/digits", None, show_a_digit),
    ("card-math", "/meridian/tiny-chat", None, None),
    ("card-dataset", "/datasets/meridian/iris", None, None),
    ("profile", "/ada", None, None),
    ("organisation", "/meridian", None, None),
    ("search", "/search?q=sentence", None, None),
    ("api", "/docs/api", None, None),
    ("inspect", "/meridian/all-MiniLM-L6-v2/inspect", None, None),
    ("compare", "/compare?repos=models/meridian/all-MiniLM-L6-v2,models/meridian/tiny-chat,datasets/meridian/iris", None, None),
    ("checklist", "/meridian/all-MiniLM-L6-v2/checklist", "ada", None),
    ("decision-note", "/compare/note?repos=models/meridian/all-MiniLM-L6-v2,models/meridian/tiny-chat&chosen=0", "ada", None),
    ("models-narrowed", "/models?library=transformers", None, None),
    ("error", "/nobody/nothing", None, None),
]
MAIN = {"home", "models", "spaces", "card", "card-asked", "card-picture", "inspect", "organisation", "compare"}  # in every form; the others in light alone
FORMS = {"": {"viewport": {"width": 1360, "height": 850}}, "-dark": {"viewport": {"width": 1360, "height": 850}, "color_scheme": "dark"},
         "-phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 1.5}}


def take(hub, options):
    from playwright.sync_api import sync_playwright

    from harness.hub import PASSWORD
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"])
        for ending, form in FORMS.items():
            if options.form and ending.strip("-") not in options.form:
                continue
            for user in (None, "ada"):
                context = browser.new_context(base_url=hub.url, **form)
                if user:
                    context.request.post("/api/login", data={"username": user, "password": PASSWORD}, headers={"Origin": hub.url})
                page = context.new_page()
                for name, path, who, act in PAGES:
                    wanted = name in options.only if options.only else not ending or name in MAIN
                    if who != user or not wanted:
                        continue
                    page.goto(path)
                    page.wait_for_load_state("networkidle")
                    if act:
                        act(page)
                    page.screenshot(path=out / f"{name}{ending}.png", full_page=options.full)
                    print(out / f"{name}{ending}.png", flush=True)
                context.close()
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=str(ROOT / "docs" / "screenshots"))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--form", nargs="*", help="light is the empty name: '' dark phone")
    parser.add_argument("--full", action="store_true", help="whole pages, not only what a window shows")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--url", help="a demo hub that is already running")
    options = parser.parse_args()
    python_env.ensure("web")
    python = python_env.python_of("web")
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), __file__, *sys.argv[1:]])
    import train_digits_model
    import train_small_models
    from harness.demo import Demo
    from harness.hub import Hub
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    if options.url:
        class Running:
            url = options.url
        return take(Running, options)
    train_small_models.ensure()
    digits = train_digits_model.ensure()
    subprocess.run(["node", str(ROOT / "web" / "build.mjs"), str(ROOT / "web" / "dist")], check=True)
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(pathlib.Path(folder) / "data", environment={"HEARTH_WEB_FOLDER": str(ROOT / "web")}).start()
        try:
            Demo(hub).fill().add_digits(digits)
            if options.serve:
                print("demo hub:", hub.url, flush=True)
                sys.stdin.read()
            else:
                take(hub, options)
        finally:
            hub.stop()


if __name__ == "__main__":
    main()
