"""Models asked with a picture or a recording, as a person does it: chosen, dropped, pasted, recorded.

Digits are told apart by a model that was really trained. Elsewhere the form is put into the page of a model that runs, for tasks
without one, and the answer is made up here, so that a test sees every byte that would have reached the model.
"""
import json
import re
import struct
import zlib

import pytest

import train_digits_model
import train_small_models
from harness.hub import ROOT
from harness.people import eventually

LABELS = [{"label": "tabby cat", "score": 0.875}, {"label": "sofa", "score": 0.1}]
TEMPLATE = (ROOT / "web" / "templates" / "widget.html").read_text()
DROP = """async ([selector, name, type, bytes]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([new Uint8Array(bytes)], name, {type}));
    const zone = document.querySelector(selector);
    for (const kind of ["dragover", "drop"]) zone.dispatchEvent(new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""
PASTE = """async ([name, type, bytes]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([new Uint8Array(bytes)], name, {type}));
    document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: carried, bubbles: true, cancelable: true}));
}"""


def png(width, height, grey):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes([grey]) * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURE = png(40, 30, 90)
WAV = b"RIFF" + struct.pack("<I", 36 + 3200) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + b"data" + struct.pack("<I", 3200) + bytes(3200)


@pytest.fixture(scope="module", autouse=True)
def model(api):
    api.create_repo("bob/seen")
    api.upload_folder(repo_id="bob/seen", folder_path=str(train_small_models.ensure() / "kinds"))
    api.upload_file(repo_id="bob/seen", path_in_repo="samples/grey one.png", path_or_fileobj=png(16, 16, 200))


@pytest.fixture(scope="module")
def digits(api):
    """The folder of the trained model's pictures; two of them are examples of its card."""
    home = train_digits_model.ensure()
    seven, three = (sorted((home / "pictures").glob(f"{digit}_*.png"))[0] for digit in (7, 3))
    api.create_repo("bob/digits")
    api.upload_folder(repo_id="bob/digits", folder_path=str(home / "model"))
    api.upload_file(repo_id="bob/digits", path_in_repo="samples/a seven.png", path_or_fileobj=seven)
    card = "---\npipeline_tag: image-classification\nwidget:\n- src: samples/a seven.png\n  example_title: A seven\n---\n# Digits\n"
    api.upload_file(repo_id="bob/digits", path_in_repo="README.md", path_or_fileobj=card.encode())
    return three


SLOW = 60_000  # milliseconds: the first answer waits for the model to load


def open_digits(page):
    answer = page.goto("/bob/digits")
    widget = page.locator("[data-island=widget][data-ready]")
    widget.wait_for()
    return answer, widget


def best_label(widget):
    widget.locator(".timing:not(:empty)").wait_for(timeout=SLOW)
    return widget.locator(".bars li").first.locator("span").first.inner_text()


def test_a_trained_model_says_which_digit_it_sees(page, digits, check_axe):
    answer, widget = open_digits(page)
    assert "blob:" in answer.headers["content-security-policy"] and "microphone=()" in answer.headers["permissions-policy"]
    widget.get_by_role("button", name="A seven").click()
    widget.get_by_alt_text("The chosen picture, a seven.png").wait_for()
    widget.get_by_role("button", name="Run").click()
    assert best_label(widget) == "seven"
    widget.get_by_label("Picture").set_input_files(digits)
    widget.get_by_alt_text(f"The chosen picture, {digits.name}").wait_for()
    widget.get_by_role("button", name="Run").click()
    widget.locator(".bars li span", has_text="three").first.wait_for()
    assert best_label(widget) == "three"
    check_axe(page)


def test_a_trained_model_refuses_half_a_picture_with_its_reason(page, digits):
    page.expected.append("422")
    _, widget = open_digits(page)
    widget.get_by_label("Picture").set_input_files({"name": "half.png", "mimeType": "image/png", "buffer": digits.read_bytes()[:80]})
    widget.get_by_role("button", name="Run").click()
    widget.locator(".fault:visible").wait_for(timeout=SLOW)
    assert "PNG picture is damaged" in widget.locator(".fault").inner_text()


def test_without_scripts_there_is_code_and_no_promise(no_script, digits):
    no_script.goto("/bob/digits")
    assert no_script.get_by_role("button", name="Run").is_disabled()
    assert no_script.locator("#widget noscript p").is_visible()
    no_script.get_by_text("The same from a program").click()
    assert "--data-binary @picture" in no_script.locator("[data-code=curl] code").inner_text()


def form_of(kind):
    """The macro file_inputs of the template, as the server fills it in."""
    body = re.search(r"{% macro file_inputs\(kind\) %}(.*?){% endmacro %}", TEMPLATE, re.S).group(1)
    return re.sub(r"{% if kind == 'image' %}(.*?){% else %}(.*?){% endif %}", lambda found: found.group(1 if kind == "image" else 2), body, flags=re.S)


class Asked:
    """A page whose model takes files of a kind, and the requests that it sent."""

    def __init__(self, page, task, kind, answer, examples=""):
        self.page, self.requests, self.answer, self.status = page, [], answer, 200

        def rewrite(route):
            response = route.fetch()
            html = response.text().replace('value="text-classification"', f'value="{task}"').replace('data-tasks="text-classification"', f'data-tasks="{task}"')
            fieldset = f'<fieldset class="ask" data-for="{task}" data-kind="{kind}"><legend class="visually-hidden">A task</legend>{form_of(kind)}</fieldset>'
            html = re.sub(r'<fieldset class="ask".*?</fieldset>', lambda _: examples + fieldset, html, flags=re.S)
            headers = dict(response.headers)
            headers["content-security-policy"] = headers["content-security-policy"].replace("data:", "data: blob:").replace("media-src 'self'", "media-src 'self' blob:")
            headers["permissions-policy"] = headers["permissions-policy"].replace("microphone=()", "microphone=(self)")
            route.fulfill(response=response, body=html, headers=headers)

        def answer_it(route):
            self.requests.append(route.request)
            route.fulfill(status=self.status, content_type="application/json", body=json.dumps(self.answer))
        page.route("**/bob/seen", rewrite)
        page.route("**/models/bob/seen**", lambda route: answer_it(route) if route.request.method == "POST" else route.fallback())
        page.goto("/bob/seen")
        self.widget = page.locator("[data-island=widget][data-ready]")
        self.widget.wait_for()

    def run(self):
        self.widget.get_by_role("button", name="Run").click()


@pytest.fixture
def looking(page):
    return Asked(page, "image-classification", "image", LABELS)


def test_a_chosen_picture_is_shown_sent_and_answered_with_bars(looking, check_axe):
    widget = looking.widget
    widget.get_by_label("Picture").set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": PICTURE})
    picture = widget.get_by_alt_text("The chosen picture, cat.png")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [40, 30]
    assert "40 × 30" in widget.locator("figcaption").inner_text()
    looking.run()
    widget.locator(".bars li").first.wait_for()
    assert widget.locator(".bars li").first.inner_text().split() == ["tabby", "cat", "87.5", "%"]
    (request,) = looking.requests
    assert request.post_data_buffer == PICTURE and request.headers["content-type"] == "image/png"
    assert request.url.endswith("/models/bob/seen") and request.headers["x-wait-for-model"] == "true"
    widget.get_by_text("The answer as JSON").click()
    assert json.loads(widget.locator(".raw code").inner_text()) == LABELS
    check_axe(looking.page)


def test_a_picture_is_dropped_or_pasted(looking):
    looking.page.evaluate(DROP, ["fieldset:enabled .file-drop", "dropped.png", "image/png", list(PICTURE)])
    looking.widget.get_by_alt_text("The chosen picture, dropped.png").wait_for()
    assert looking.widget.get_by_label("Picture").evaluate("input => input.files[0].name") == "dropped.png"
    looking.page.evaluate(PASTE, ["pasted.png", "image/png", list(png(8, 8, 10))])
    looking.widget.get_by_alt_text("The chosen picture, pasted.png").wait_for()
    looking.run()
    looking.widget.locator(".bars").wait_for()
    assert looking.requests[0].post_data_buffer == png(8, 8, 10)


def test_what_is_no_picture_is_refused_and_nothing_is_sent(looking):
    looking.run()
    looking.widget.get_by_text("Choose a picture first.").wait_for()
    looking.page.evaluate(DROP, ["fieldset:enabled .file-drop", "notes.txt", "text/plain", [104, 105]])
    looking.widget.get_by_text("This is no picture").wait_for()
    assert looking.widget.locator(".preview").is_hidden() and looking.requests == []


def test_the_models_refusal_is_shown(looking):
    looking.page.expected.append("422")
    looking.status, looking.answer = 422, {"error": "the PNG picture is damaged: it ends too early"}
    looking.widget.get_by_label("Picture").set_input_files({"name": "half.png", "mimeType": "image/png", "buffer": PICTURE})
    looking.run()
    looking.widget.get_by_text("the PNG picture is damaged: it ends too early").wait_for()


def test_programs_send_the_file(looking):
    looking.widget.get_by_label("Picture").set_input_files({"name": "my $(cat) 'photo'.png", "mimeType": "image/png", "buffer": PICTURE})
    looking.widget.get_by_text("The same from a program").click()
    code = looking.widget.locator("[data-code=curl] code").inner_text()
    assert code.splitlines()[0].endswith("/models/bob/seen \\")
    assert '-H "Content-Type: image/png"' in code and code.endswith("--data-binary @my-cat-photo.png")
    looking.widget.get_by_text("Python", exact=True).click()
    python = looking.widget.locator("[data-code=Python] code").inner_text()
    compile(python, "snippet", "exec")
    assert 'open("my-cat-photo.png", "rb")' in python
    looking.widget.get_by_text("JavaScript", exact=True).click()
    assert 'readFile("my-cat-photo.png")' in looking.widget.locator("[data-code=JavaScript] code").inner_text()


def test_an_example_of_the_card_is_taken_from_the_repository(page):
    data = json.dumps({"src": "/bob/seen/resolve/main/samples/grey%20one.png"}).replace('"', "&quot;")
    asked = Asked(page, "image-classification", "image", LABELS,
                  f'<p class="examples"><button type="button" class="chip" data-example="{data}" data-kind="image">Grey</button></p>')
    asked.widget.get_by_role("button", name="Grey").click()
    asked.widget.get_by_alt_text("The chosen picture, grey one.png").wait_for()
    asked.run()
    asked.widget.locator(".bars").wait_for()
    assert asked.requests[0].post_data_buffer == png(16, 16, 200)


def test_a_picture_is_asked_about_with_the_keyboard_alone(looking):
    page = looking.page
    chooser = looking.widget.get_by_label("Picture")
    # The dialog behind the native field is the browser's own.
    chooser.set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": PICTURE})
    chooser.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Run"
    page.keyboard.press("Enter")
    looking.widget.locator(".bars").wait_for()


@pytest.mark.parametrize("look", [{"viewport": {"width": 360, "height": 780}}, {"color_scheme": "dark"}], ids=["phone", "dark"])
@pytest.mark.parametrize("task, kind", [("image-classification", "image"), ("audio-classification", "audio")])
def test_narrow_and_dark(open_page, check_axe, screenshots, task, kind, look):
    page = open_page(**look)
    asked = Asked(page, task, kind, LABELS)
    name, type_, content = ("cat.png", "image/png", PICTURE) if kind == "image" else ("speech.wav", "audio/wav", WAV)
    asked.widget.locator("input[type=file]").set_input_files({"name": name, "mimeType": type_, "buffer": content})
    asked.run()
    asked.widget.locator(".bars").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_axe(page)
    asked.widget.screenshot(path=screenshots / f"widget-{kind}-{'dark' if 'color_scheme' in look else 'phone'}.png")


def level(widget):
    return widget.locator(".listening meter").evaluate("meter => meter.value")


def samples_of(wav):
    assert wav[:4] == b"RIFF" and wav[8:16] == b"WAVEfmt " and struct.unpack("<I", wav[4:8])[0] == len(wav) - 8
    assert struct.unpack("<HHIIHH", wav[20:36]) == (1, 1, 16000, 32000, 2, 16)
    assert wav[36:40] == b"data" and struct.unpack("<I", wav[40:44])[0] == len(wav) - 44
    return struct.unpack(f"<{(len(wav) - 44) // 2}h", wav[44:])


@pytest.fixture
def with_microphone(hub, request):
    """Chromium whose microphone beeps; its prompt is answered by the context's permissions."""
    from conftest import CHROMIUM, Watch
    driver = request.getfixturevalue("chromium")
    browser = driver.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream",
                                                                         "--use-fake-ui-for-media-stream"])
    context = browser.new_context(base_url=hub.url)
    context.set_default_timeout(15_000)
    watch = Watch(hub.url, context)
    page = context.new_page()
    page.expected = watch.expected
    yield page
    try:
        watch.check()
    finally:
        browser.close()


def test_speech_is_recorded_as_a_wav_file(with_microphone, check_axe):
    asked = Asked(with_microphone, "automatic-speech-recognition", "audio", {"text": " beep beep", "chunks": [{"timestamp": [0.0, 1.5], "text": " beep beep"}]})
    widget = asked.widget
    widget.get_by_role("button", name="Record", exact=True).click()
    widget.get_by_role("button", name="Stop", exact=True).first.wait_for()
    widget.locator(".elapsed", has_text="0:02").wait_for()
    # The device beeps once a second: some moment is loud.
    assert eventually(lambda: level(widget) > 0.3)
    check_axe(with_microphone)
    widget.locator("button[name=record]").click()
    widget.locator(".preview audio").wait_for()
    assert widget.locator(".listening").is_hidden() and widget.locator("button[name=record]").inner_text() == "Record"
    length = widget.locator("audio").evaluate("audio => new Promise((done) => { const tell = () => done(audio.duration); audio.readyState > 0 ? tell() : audio.onloadedmetadata = tell; })")
    asked.run()
    widget.locator(".said").wait_for()
    assert widget.locator(".said").inner_text() == "beep beep" and "0.0–1.5 s" in widget.locator(".chunks").inner_text()
    (request,) = asked.requests
    assert request.headers["content-type"] == "audio/wav"
    samples = samples_of(request.post_data_buffer)
    assert len(samples) / 16000 == pytest.approx(length, abs=0.01) and length >= 2
    assert max(map(abs, samples)) > 1000, "the recording is silent"


def test_the_microphone_is_let_go_after_a_recording(with_microphone):
    with_microphone.add_init_script("""const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (what) => (window.lent = await ask(what));""")
    asked = Asked(with_microphone, "audio-classification", "audio", LABELS)
    for _ in range(2):
        asked.widget.locator("button[name=record]").click()
        asked.widget.get_by_role("button", name="Stop", exact=True).wait_for()
        assert eventually(lambda: level(asked.widget) > 0)
        assert with_microphone.evaluate("lent.getTracks().map((track) => track.readyState)") == ["live"]
        asked.widget.locator("button[name=record]").click()
        asked.widget.locator(".preview audio").wait_for()
        assert with_microphone.evaluate("lent.getTracks().map((track) => track.readyState)") == ["ended"]


def test_a_microphone_that_is_refused_is_explained(page):
    page.add_init_script("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };")
    asked = Asked(page, "audio-classification", "audio", LABELS)
    asked.widget.get_by_role("button", name="Record", exact=True).click()
    asked.widget.get_by_text("The microphone was not allowed.").wait_for()
    assert asked.widget.get_by_role("button", name="Record", exact=True).is_enabled()


def test_a_chosen_recording_is_played_and_sent(page):
    asked = Asked(page, "audio-classification", "audio", LABELS)
    asked.run()
    asked.widget.get_by_text("Record something or choose a file first.").wait_for()
    asked.widget.get_by_label("Recording", exact=True).set_input_files({"name": "speech.wav", "mimeType": "audio/x-wav", "buffer": WAV})
    asked.widget.locator("audio").wait_for()
    asked.run()
    asked.widget.locator(".bars").wait_for()
    assert asked.requests[0].post_data_buffer == WAV and asked.requests[0].headers["content-type"] == "audio/wav"


def test_only_pages_that_record_may_ask_for_the_microphone(page):
    answer = page.goto("/bob/seen")
    assert "microphone=()" in answer.headers["permissions-policy"] and "blob:" not in answer.headers["content-security-policy"]
    assert page.goto("/").headers["permissions-policy"] == answer.headers["permissions-policy"]
