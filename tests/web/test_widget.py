"""Models tried on their pages: real ones, in a browser, from asleep to an answer."""
import json

import pytest
from playwright.sync_api import expect

import test_data
import train_small_models
from harness.demo import chat_tokenizer

CARD = """---
pipeline_tag: {task}
widget:
- text: {text}
  example_title: {title}
---
# Small
"""
SLOW = 60_000  # milliseconds: the first answer waits for the model to load


@pytest.fixture(scope="module", autouse=True)
def models(api):
    trained = train_small_models.ensure()
    folders = {"minilm": (test_data.DATA / "minilm", "sentence-similarity", "A dog sleeps.", "Dog"),
               "tiny-chat": (trained / "llama", "text-generation", "where is the <b>cat</b> ?", "Cats & dogs"),
               "kinds": (trained / "kinds", "text-classification", "It was late in the evening when he came home.", "Prose")}
    for name, (folder, task, text, title) in folders.items():
        api.create_repo(f"bob/{name}")
        api.upload_folder(repo_id=f"bob/{name}", folder_path=str(folder), ignore_patterns=["README.md"])
        api.upload_file(repo_id=f"bob/{name}", path_in_repo="README.md", path_or_fileobj=CARD.format(task=task, text=json.dumps(text), title=json.dumps(title)).encode())
    api.upload_file(repo_id="bob/tiny-chat", path_in_repo="tokenizer_config.json", path_or_fileobj=chat_tokenizer().encode())
    api.create_repo("bob/odd")
    api.upload_folder(repo_id="bob/odd", folder_path=str(trained / "llama"))
    api.upload_file(repo_id="bob/odd", path_in_repo="config.json",
                    path_or_fileobj=b'{"model_type": "lama", "architectures": ["LamaForCausalLM"]}')


def open_widget(page, name):
    page.goto(f"/bob/{name}")
    widget = page.locator("[data-island=widget][data-ready]")
    widget.wait_for()
    return widget


def test_labels_are_bars_and_the_answer_can_be_read_as_json(page, check_axe):
    widget = open_widget(page, "kinds")
    widget.get_by_role("button", name="Prose").click()
    widget.get_by_role("button", name="Run").click()
    widget.locator(".bars li").first.wait_for(timeout=SLOW)
    assert widget.locator(".model-state").inner_text() == "ready"
    widget.get_by_text("The answer as JSON").click()
    (rows,) = json.loads(widget.locator(".raw code").inner_text())
    assert {row["label"] for row in rows} == {"prose", "documentation", "c++", "python", "template"}
    best = max(rows, key=lambda row: row["score"])
    assert widget.locator(".bars li").first.inner_text().split("\n") == [best["label"], f"{best['score'] * 100:.1f} %"]
    check_axe(page)


def test_the_code_asks_what_the_form_asks(page):
    widget = open_widget(page, "kinds")
    widget.locator("textarea[name=inputs]:enabled").fill("it's \"here\"")
    widget.get_by_text("The same from a program").click()
    code = widget.locator("[data-code=curl] code").inner_text()
    assert page.url.split("/bob")[0] + "/models/bob/kinds/pipeline/text-classification" in code
    assert r"""it'\''s \"here\"""" in code
    widget.get_by_text("Python", exact=True).click()
    assert "requests.post(" in widget.locator("[data-code=Python] code").inner_text()


def test_sentences_are_compared_each_with_each(page, check_axe):
    widget = open_widget(page, "minilm")
    widget.locator("[name=source_sentence]").fill("A dog sleeps.")
    widget.locator("[name=sentences]").fill("A puppy is asleep.\nStocks fell on Monday.\n")
    widget.get_by_role("button", name="Run").click()
    widget.locator(".heat").wait_for(timeout=SLOW)
    close, far = (float(text) for text in widget.locator(".bars .number").all_inner_texts())
    assert close > 0.5 > far
    cells = [float(text) for text in widget.locator(".heat tbody td").all_inner_texts()]
    assert len(cells) == 9 and cells[0] == cells[4] == cells[8] == 1 and cells[1] == pytest.approx(close, abs=0.006)
    check_axe(page)


def test_a_chat_streams_stops_and_starts_anew(page):
    widget = open_widget(page, "tiny-chat")
    widget.get_by_label("Task").select_option(label="Chat")
    box = widget.locator("textarea[name=message]")
    box.fill("where is the <i>cat</i> ?")
    box.press("Enter")
    widget.locator(".bubble.assistant:not(:empty):not(.thinking)").wait_for(timeout=SLOW)
    assert widget.locator(".bubble.user").inner_text() == "where is the <i>cat</i> ?"
    assert widget.locator(".bubble i").count() == 0 and box.input_value() == ""
    widget.get_by_role("button", name="New conversation").click()
    assert widget.locator(".bubble").count() == 0


# The page's own fetch, with an answer to chats that comes as the test lets it.
SLOW_CHAT = """
const fetched = window.fetch;
window.fetch = (target, options) => {
    if (!String(target).includes("/v1/chat/completions")) return fetched(target, options);
    const body = new ReadableStream({
        start(controller) {
            window.say = (text) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify({choices: [{delta: {content: text}}]})}\\n\\n`));
            window.finish = () => { controller.enqueue(new TextEncoder().encode("data: [DONE]\\n\\n")); controller.close(); };
            options.signal.addEventListener("abort", () => controller.error(options.signal.reason));
        },
    });
    return Promise.resolve(new Response(body, {headers: {"content-type": "text/event-stream", "x-compute-time": "0.0002"}}));
};"""


def test_a_chat_grows_as_it_comes_and_can_be_stopped(page):
    page.add_init_script(SLOW_CHAT)
    widget = open_widget(page, "tiny-chat")
    widget.get_by_label("Task").select_option(label="Chat")
    box, stop, answer = widget.locator("textarea[name=message]"), widget.get_by_role("button", name="Stop"), widget.locator(".bubble.assistant").last
    box.fill("hello")
    box.press("Enter")
    for text, so_far in (("Once upon", "Once upon"), (" a time", "Once upon a time")):
        page.evaluate("text => window.say(text)", text)
        expect(answer).to_have_text(so_far)
    stop.click()
    widget.get_by_text("Stopped.").wait_for()
    expect(answer).to_have_text("Once upon a time")
    expect(stop).to_be_hidden()
    box.fill("and then?")
    box.press("Enter")
    page.evaluate("window.say('The end.'); window.finish()")
    expect(answer).to_have_text("The end.")
    # The time that the hub says before it begins is not the time that the answer took.
    assert "computing" not in widget.locator(".timing:not(:empty)").inner_text()


def test_text_goes_on_from_an_example(page):
    widget = open_widget(page, "tiny-chat")
    widget.get_by_label("Task").select_option(label="Text Generation")
    widget.get_by_role("button", name="Cats & dogs").click()
    assert widget.locator("textarea[name=inputs]:enabled").input_value() == "where is the <b>cat</b> ?"
    widget.get_by_role("button", name="Run").click()
    widget.locator(".timing:not(:empty)").wait_for(timeout=SLOW)
    assert len(widget.locator(".said").inner_text()) > len("where is the <b>cat</b> ?")


def test_what_goes_wrong_is_said(page):
    page.expected.append("422|400")
    widget = open_widget(page, "tiny-chat")
    widget.get_by_label("Task").select_option(label="Chat")
    widget.locator("textarea[name=message]").fill("   ")
    widget.get_by_role("button", name="Run").click()
    widget.get_by_text("Write something first.").wait_for()


def test_a_model_that_does_not_run_says_why(page):
    page.goto("/bob/odd")
    assert page.locator("[data-island=widget]").count() == 0
    page.get_by_text("Models of type \"lama\" do not run here yet").wait_for()


def test_without_scripts_the_code_can_still_be_read(no_script):
    no_script.goto("/bob/kinds")
    no_script.get_by_text("The same from a program").click()
    assert "curl" in no_script.locator("[data-code=curl] code").inner_text()
    assert no_script.get_by_role("button", name="Run").is_disabled()


def test_the_owner_loads_and_unloads_the_model(bob):
    bob.goto("/bob/kinds")
    box = bob.locator("[data-island=manage]")
    box.get_by_role("button", name="Unload", exact=True).click()
    box.locator('[data-field="state"]', has_text="cold").wait_for()
    box.get_by_role("button", name="Load", exact=True).click()
    box.locator('[data-field="state"]', has_text="loading").or_(box.locator('[data-field="state"]', has_text="warm")).wait_for()
