"""Repositories that attack their readers: more than 200 texts, and not one script that runs."""
import json

import pytest
from huggingface_hub import CommitOperationAdd

import hostile

REPO = "bob/hostile"


def named(table, prefix):
    return {name: text.replace("NAME", f"{prefix}:{name}") for name, text in table.items()}


MARKDOWN = {**named(hostile.MARKUP, "md"), **named(hostile.MARKDOWN, "md")}


@pytest.fixture(scope="module")
def repo(api):
    api.create_repo(REPO)
    html, cells = named(hostile.MARKUP, "cell"), named({**hostile.MARKUP, **hostile.MARKDOWN}, "cell-md")
    notebook = {"nbformat": 4, "metadata": {"language_info": {"name": "<img src=x onerror=hit('language')>"}}, "cells": [
        *({"cell_type": "code", "source": text, "execution_count": 1,
           "outputs": [{"output_type": "display_data", "data": {"text/html": text}}, {"output_type": "stream", "text": text},
                       {"output_type": "execute_result", "data": {"text/markdown": [text]}},
                       {"output_type": "display_data", "data": {text: text}}]} for text in html.values()),
        *({"cell_type": "markdown", "source": [text]} for text in cells.values()),
        {"cell_type": "code", "source": "", "outputs": [{"output_type": "display_data", "data": {"image/png": '" onerror="hit(1)'}},
                                                         {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=hit(1)>",
                                                                                                  "application/javascript": "hit('cell-js')"}}]}]}
    files = {"run.js": b'hit("run.js")', "all.ipynb": json.dumps(notebook).encode(),
             "rows.csv": ("a,b\n" + "".join('"' + text.replace('"', '""') + '",1\n' for text in named(hostile.MARKUP, "csv").values())).encode(),
             "rows.jsonl": "".join(json.dumps({text: text}) + "\n" for text in list(named(hostile.MARKUP, "jsonl").values())[:50]).encode(),
             "source.py": "\n".join(named(hostile.MARKUP, "source").values()).replace("\x00", "").encode()}
    files |= {f"md/{name}.md": text.encode("utf-8", "surrogatepass") for name, text in MARKDOWN.items()}
    files |= {f"files/{name}": text.encode() for name, text in named(hostile.FILES, "file").items()}
    files |= {f"drawings/{name}": text.encode() for name, text in named(hostile.DRAWINGS, "drawing").items()}
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    for name in hostile.NAMES:
        operations.append(CommitOperationAdd("names/" + name, b"x = 1\n"))
    api.create_commit(REPO, operations, commit_message="<script>hit('commit')</script>", commit_description="<img src=x onerror=hit('commit')>")
    return REPO


@pytest.fixture
def victim(open_page):
    """A signed-in reader whose page tells who has run; a click on every link and a move over every element are part of reading."""
    page = open_page("bob")
    hits = []
    page.context.expose_function("hit", lambda name: hits.append(name))
    page.on("dialog", lambda dialog: (hits.append("dialog " + dialog.message), dialog.dismiss()))
    # A picture that is not there is an error on the console, and nothing else.
    page.expected += [r"Failed to load resource: the server responded with a status of 404", r"status of 400"]

    def read(path):
        page.goto(path, wait_until="load")
        page.evaluate("""() => {
            for (const element of document.querySelectorAll("main *"))
                for (const name of ["mouseover", "focus", "pointerenter", "animationstart"]) element.dispatchEvent(new Event(name, {bubbles: true}));
            for (const link of document.querySelectorAll("main a"))
                if (!/^(https?:|mailto:|#|$)/.test(link.href)) link.click();
        }""")
        assert not hits, (path, hits)
        return page
    yield read
    page.wait_for_timeout(200)
    assert not hits, hits


def test_there_are_more_than_two_hundred():
    assert len(MARKDOWN) + 2 * len(hostile.MARKUP) + len(hostile.FILES) + len(hostile.DRAWINGS) + len(hostile.NAMES) + len(hostile.CARDS) > 200


def test_a_text_that_ran_would_be_seen(open_page):
    page = open_page()
    hits = []
    page.context.expose_function("hit", lambda name: hits.append(name))
    page.set_content(hostile.MARKUP["img-error"])
    page.wait_for_function("document.images[0].complete")
    page.wait_for_timeout(100)
    assert hits == ["NAME"]


def test_documents_run_nothing(victim, repo):
    for name in MARKDOWN:
        page = victim(f"/{repo}/blob/main/md/{name}.md")
        # Nothing that an author writes covers the page, or takes the place of what the site itself reads.
        assert page.evaluate("""() => {
            const inside = document.querySelector("article.prose");
            if (!inside) return true;
            return !inside.querySelector("script, style, iframe, object, embed, form, link, meta, base, svg, math annotation-xml, [style], [data-island], [data-key], [name], [autofocus]")
                && [...inside.querySelectorAll("[id]")].every((element) => element.id.startsWith("user-content-"))
                && ![...inside.querySelectorAll("*")].some((element) => [...element.attributes].some((a) => a.name.startsWith("on")));
        }"""), name


def test_notebooks_tables_and_sources_run_nothing(victim, repo):
    for name in ("all.ipynb", "rows.csv", "rows.jsonl", "source.py"):
        victim(f"/{repo}/blob/main/{name}")


def test_drawings_run_nothing_and_ask_nobody(victim, repo):
    for name in hostile.DRAWINGS:
        victim(f"/{repo}/blob/main/drawings/{name}")


@pytest.mark.parametrize("door", ["resolve", "raw"])
def test_files_opened_alone_run_nothing(victim, repo, door, bob):
    page = None
    for name in hostile.FILES:
        url = f"/{repo}/{door}/main/files/{name}"
        answer = bob.context.request.get(url)
        policy, kind = answer.headers.get("content-security-policy", ""), answer.headers["content-type"]
        assert "sandbox" in policy and "default-src 'none'" in policy and answer.headers["x-content-type-options"] == "nosniff", name
        assert not kind.startswith(("text/html", "application/xhtml", "text/xml", "application/xml", "image/svg", "text/javascript", "application/javascript")), (name, kind)
        if kind.startswith("text/plain"):
            page = victim(url)
            assert page.evaluate("document.scripts.length") == 0


def test_a_script_of_a_repository_is_none_of_the_site(victim, repo):
    page = victim(f"/{repo}")
    page.expected.append("Content Security Policy|Refused|violates")
    ran = page.evaluate("""() => new Promise((done) => {
        const script = document.createElement("script");
        script.src = "/bob/hostile/resolve/main/run.js";
        script.onload = () => done("ran");
        script.onerror = () => done("refused");
        const holder = document.createElement("div");
        holder.innerHTML = `<script src="${script.src}"></scr` + `ipt><img src=x onerror="window.inline = 1">`;
        document.body.append(holder);
        setTimeout(() => done(window.inline ? "inline ran" : "refused"), 500);
    })""")
    assert ran == "refused"


def test_names_are_names(victim, repo):
    page = victim(f"/{repo}/tree/main/names")
    shown = page.locator("td.name a").all_inner_texts()
    assert len(shown) == len(hostile.NAMES)
    for link in page.locator("td.name a").evaluate_all("links => links.map((link) => link.href)"):
        victim(link)


def test_commit_messages_are_text(victim, repo):
    page = victim(f"/{repo}/commits/main")
    page.get_by_text("<script>hit('commit')</script>").first.wait_for()
    page = victim(page.locator(".history strong a").first.evaluate("link => link.href"))
    page.get_by_text("<img src=x onerror=hit('commit')>").first.wait_for()


@pytest.mark.parametrize("name", hostile.CARDS)
def test_front_matter_is_data(victim, api, name):
    kind, repo = ("space", f"bob/hostile-card-{name}") if name == "title" else ("model", f"bob/hostile-card-{name}")
    api.create_repo(repo, repo_type=kind, **({"space_sdk": "static"} if kind == "space" else {}), exist_ok=True)
    card = f"---\n{hostile.CARDS[name].replace('NAME', 'card:' + name)}\n---\n# Card\n"
    try:
        api.upload_file(repo_id=repo, repo_type=kind, path_in_repo="README.md", path_or_fileobj=card.encode())
    except Exception as refused:
        assert "400" in str(refused), refused  # a card that is not valid is not taken in
        return
    prefix = "/spaces/" if kind == "space" else "/"
    victim(prefix + repo)
    victim("/" + kind + "s?search=hostile-card")
    victim("/bob")
