"""Search, the page of the API, and pages that are not there."""
import pytest

from harness.people import eventually


@pytest.fixture(scope="module", autouse=True)
def repositories(api):
    api.create_repo("bob/find-kettle")
    api.create_repo("bob/find-kettle-data", repo_type="dataset")
    api.create_repo("bob/find-kettle-secret", private=True)
    card = "---\nlicense: mit\nlanguage: de\n---\n# Kessel\n\nEin Wasserkessel pfeift, sobald <b>das</b> Wasser kocht.\n"
    for name in ("bob/find-kettle", "bob/find-kettle-secret"):
        api.upload_file(repo_id=name, path_in_repo="README.md", path_or_fileobj=card.encode())
    api.upload_file(repo_id="bob/find-kettle", path_in_repo="whistle.py", path_or_fileobj=b"def whistle_loudly(kettle):\n    return kettle.steam\n")


@pytest.fixture
def wire_search(open_page):
    """The ids that a visitor's search finds, best first."""
    asked = open_page().context.request
    return lambda query: [hit["id"] for hit in asked.get("/api/hearth/search", params={"q": query}).json()["hits"]]


def search(page, query, found):
    """Opens the results until the index knows what was just committed."""
    assert eventually(lambda: page.goto("/search?q=" + query) and page.locator(".results h3").filter(has_text=found).count() > 0), page.content()
    return page.locator(".results > li").filter(has=page.locator("h3", has_text=found))


def test_search_finds_names_texts_and_people(page):
    search(page, "find-kettle", "bob/find-kettle-data")
    links = page.locator(".results h3 a").evaluate_all("links => links.map((link) => new URL(link.href).pathname)")
    assert set(links) == {"/bob/find-kettle", "/datasets/bob/find-kettle-data"}
    result = search(page, "wasserkessel+kocht", "bob/find-kettle")
    assert result.locator("mark").all_inner_texts() == ["Wasserkessel", "kocht"]
    assert page.locator(".results > li").count() == 1, "a private card was found"
    assert "README.md" in result.inner_text()
    page.goto("/search?q=bob")
    assert page.get_by_role("link", name="bob", exact=True).get_attribute("href") == "/bob"


def test_search_looks_into_code_narrows_and_mends(page):
    result = search(page, "whistle_loudly", "bob/find-kettle")
    result.get_by_role("link", name="whistle.py").click()
    page.get_by_text("kettle.steam").wait_for()
    search(page, "wasserkessel+license:mit+lang:de", "bob/find-kettle")
    page.goto("/search?q=wasserkessel+license:apache-2.0")
    assert page.locator(".results > li").count() == 0
    search(page, "waserkessel", "bob/find-kettle")
    page.get_by_role("link", name="Datasets 0").wait_for()


# language: what a card says, and what somebody types
TONGUES = {
    "de": ("Straßenschilder erkennen", "strassenschilder"), "fr": ("Une voix entraînée", "entrainee"), "es": ("Traducción automática", "traduccion"),
    "pt": ("Classificação de emoções", "classificacao"), "it": ("Misura della qualità", "qualita"), "nl": ("Nederlandse spraakherkenning", "spraakherkenning"),
    "pl": ("Rozpoznaje żółwie", "zolwie"), "cs": ("Český překladač", "prekladac"), "tr": ("Duygu çözümlemesi", "cozumlemesi"), "sv": ("Röster från Malmö", "malmo"),
    "fi": ("Suomenkielinen äänimalli", "aanimalli"), "hu": ("Magyar érzelemelemzés", "erzelemelemzes"), "ru": ("Распознавание речи", "распознавание"),
    "uk": ("Малює їжака", "їжака"), "el": ("Γλωσσικό μοντέλο", "μοντελο"), "ar": ("نموذج لغوي عربي", "عربي"), "he": ("מודל שפה עברי", "עברי"), "fa": ("مدل زبانی فارسی", "فارسی"),
    "hi": ("हिन्दी भाषा मॉडल", "भाषा"), "bn": ("বাংলা ভাষা মডেল", "বাংলা"), "ta": ("தமிழ் மொழி மாதிரி", "தமிழ்"), "th": ("แบบจำลองภาษาไทย", "ภาษาไทย"),
    "zh": ("中文情感分析模型", "情感分析"), "ja": ("日本語の感情分析モデル", "感情分析モデル"), "ko": ("한국어 감정 분석", "감정"), "vi": ("Mô hình ngôn ngữ", "ngon ngu")}


def test_search_reads_more_than_twenty_languages(wire_search, api):
    for tongue, (text, _) in TONGUES.items():
        api.create_repo(f"bob/tongue-{tongue}", repo_type="dataset")
        api.upload_file(repo_id=f"bob/tongue-{tongue}", repo_type="dataset", path_in_repo="README.md", path_or_fileobj=f"---\nlicense: mit\n---\n# X\n\n{text}.\n".encode())
    for tongue, (_, typed) in TONGUES.items():
        assert eventually(lambda: wire_search(typed + " ")[:1] == [f"bob/tongue-{tongue}"]), (tongue, wire_search(typed + " "))


def test_owners_find_what_is_private(bob):
    search(bob, "wasserkessel", "bob/find-kettle-secret")


def test_search_that_finds_nothing_says_where_to_go_on(page):
    page.goto("/search?q=%3Cxyzzyb%3Exyzzy")
    assert "“<xyzzyb>xyzzy”" in page.locator("main").inner_text()
    assert page.locator("main").get_by_role("link", name="models", exact=True).is_visible()


def test_the_page_of_the_api_can_be_searched(page):
    page.goto("/docs/api")
    rows = page.locator("[data-row]:visible")
    before = rows.count()
    assert before > 80
    page.get_by_label("Find a route").fill("card-score")
    page.get_by_label("Find a route").fill("whoami")
    assert 0 < rows.count() < 5 and "whoami" in rows.first.inner_text()
    page.get_by_label("Find a route").fill("no such route")
    page.get_by_text("No route has these words.").wait_for()


def test_the_page_of_the_api_names_each_route_once(no_script):
    no_script.goto("/docs/api")
    rows = no_script.locator("[data-row]").all_inner_texts()
    assert len(rows) == len(set(rows))
    assert any("/api/{models|datasets|spaces}/{ns}/{name}/like" in row for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/search", "/search?q=find-kettle", "/search?q=xyzzy", "/docs/api", "/bob/nothing"])
def test_they_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.expected.append("404")
    page.goto(path)
    check_axe(page)


def test_nothing_is_cut_off_on_a_phone(phone):
    for path in ("/search?q=find-kettle", "/docs/api"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
