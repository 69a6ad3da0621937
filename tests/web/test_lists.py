"""The lists: facets, names, sorts and pages, with scripts and without."""
import pytest

CARDS = {
    "lists/lamp-tiny": "license: mit\npipeline_tag: text-generation\nlibrary_name: transformers\nlanguage: en\n",
    "lists/lamp-small": "license: apache-2.0\npipeline_tag: text-generation\nlibrary_name: transformers\nlanguage: [en, de]\n",
    "lists/lamp-see": "license: mit\npipeline_tag: image-classification\nlibrary_name: timm\n",
}


@pytest.fixture(scope="module", autouse=True)
def repositories(hub, api_of, api):
    from harness.people import eventually
    hub.admin("org", "create", "lists")
    hub.admin("org", "add-member", "lists", "bob", "--role", "admin")
    eventually(lambda: any(org["name"] == "lists" for org in api.whoami()["orgs"]))
    for name, card in CARDS.items():
        api.create_repo(name)
        api.upload_file(repo_id=name, path_in_repo="README.md", path_or_fileobj=f"---\n{card}---\n# {name}\n".encode())
    for number in range(32):
        api.create_repo(f"lists/many-{number:02}", repo_type="dataset")
    api.create_repo("lists/tile", repo_type="space", space_sdk="static")
    api.upload_file(repo_id="lists/tile", repo_type="space", path_in_repo="README.md",
                    path_or_fileobj=b"---\ntitle: A tile\nemoji: \xe2\x98\x95\ncolorFrom: green\ncolorTo: blue\nsdk: static\nshort_description: Warm\n---\n")
    assert eventually(lambda: [model.id for model in api.list_models(author="lists", pipeline_tag="image-classification")] == ["lists/lamp-see"])


def names(page):
    return sorted(page.locator("[data-part=results] .card h3 a").all_inner_texts())


def test_a_facet_narrows_the_list_in_place(page):
    page.goto("/models?author=lists")
    assert names(page) == ["lists/lamp-see", "lists/lamp-small", "lists/lamp-tiny"]
    page.evaluate("window.same = true")
    task = page.locator("[data-facet=task]")
    assert task.get_by_role("link", name="Text Generation").locator("small").inner_text() == "2"
    task.get_by_role("link", name="Text Generation").click()
    page.wait_for_url("**/models?author=lists&task=text-generation")
    page.locator("[data-total]", has_text="2").wait_for()
    assert names(page) == ["lists/lamp-small", "lists/lamp-tiny"]
    assert page.evaluate("window.same") and page.evaluate("document.activeElement.dataset.value") == "text-generation"
    page.locator("[data-facet=language]").get_by_role("link", name="German").click()
    page.locator("[data-total]", has_text="1").wait_for()
    page.locator(".active").get_by_role("link", name="Text Generation").click()
    page.wait_for_url("**/models?author=lists&language=de")
    page.go_back()
    page.wait_for_url("**task=text-generation**")
    page.go_back()
    page.locator("[data-total]", has_text="2").wait_for()
    page.reload()
    assert names(page) == ["lists/lamp-small", "lists/lamp-tiny"]


def test_a_name_filters_while_it_is_typed_and_keeps_the_caret(page):
    page.goto("/models?author=lists")
    field = page.get_by_label("Filter by name")
    field.press_sequentially("small", delay=20)
    page.wait_for_url("**search=small**")
    page.locator("[data-total]", has_text="1").wait_for()
    assert field.input_value() == "small" and page.evaluate("document.activeElement.name") == "search"
    field.fill("nothing-like-it")
    page.get_by_text("No models fit all of this.").wait_for()
    page.get_by_role("link", name="Show all models").click()
    page.wait_for_url("**/models")


def test_sorts_and_pages_are_links(page):
    page.goto("/datasets?author=lists&sort=createdAt")
    assert page.locator(".card").count() == 30
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=*")
    page.get_by_role("link", name="First page").wait_for()
    assert page.locator(".card").count() == 2
    page.get_by_role("link", name="Recently updated").click()
    page.wait_for_url("**sort=lastModified*")
    assert "cursor" not in page.url


def test_size_apps_and_benchmarks_are_asked_for(page, api):
    from harness.people import eventually
    header = b'{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}'
    for name, count in (("bob/weighted-large", 5000), ("bob/weighted-small", 10)):
        api.create_repo(name)
        text = header % (count, 4 * count)
        api.upload_file(repo_id=name, path_in_repo="model.safetensors", path_or_fileobj=len(text).to_bytes(8, "little") + text + bytes(4 * count))
    results = "model-index:\n- name: x\n  results:\n  - task: {type: fill-mask}\n    dataset: {type: y, name: Y}\n    metrics: [{type: accuracy, value: 0.9}]\n"
    api.upload_file(repo_id="bob/weighted-small", path_in_repo="README.md", path_or_fileobj=f"---\n{results}---\n# Measured\n".encode())
    assert eventually(lambda: [model.id for model in api.list_models(search="bob/weighted-", filter=["model-index"])] == ["bob/weighted-small"])
    page.goto("/models?search=bob/weighted-&apps=vllm")
    for sort in ("Most parameters", "Largest"):
        page.get_by_role("link", name=sort).click()
        page.locator(".sorts [aria-current]", has_text=sort).wait_for()
        assert page.locator("[data-part=results] .card h3 a").all_inner_texts() == ["bob/weighted-large", "bob/weighted-small"]
    facet = page.locator("[data-facet=apps]")
    assert facet.get_by_role("link", name="vLLM 2").get_attribute("aria-current") == "true" and facet.get_by_role("link", name="Ollama").count() == 0
    benchmarks = page.locator("[data-facet=benchmark]")
    benchmarks.locator("summary").click()
    benchmarks.get_by_role("link", name="Results on the card").click()
    page.locator("[data-total]", has_text="1").wait_for()
    assert names(page) == ["bob/weighted-small"] and "apps=vllm" in page.url


def test_without_scripts_the_same_links_work(no_script):
    no_script.goto("/models?author=lists")
    no_script.locator("[data-facet=license]").get_by_role("link", name="mit").click()
    assert names(no_script) == ["lists/lamp-see", "lists/lamp-tiny"]
    no_script.get_by_label("Filter by name").fill("see")
    no_script.get_by_role("button", name="Filter", exact=True).click()
    assert names(no_script) == ["lists/lamp-see"] and "license=mit" in no_script.url


def test_kinds_and_memories_narrow_the_list(page, api, hub):
    import requests
    import test_data
    from harness.people import eventually
    test_data.ensure()
    api.create_repo("bob/fit-minilm")
    api.upload_folder(repo_id="bob/fit-minilm", folder_path=str(test_data.DATA / "minilm"))
    api.create_repo("bob/fit-hidden", private=True)
    api.upload_folder(repo_id="bob/fit-hidden", folder_path=str(test_data.DATA / "minilm"))

    def listed(query, **headers):
        return [model["id"] for model in requests.get(f"{hub.url}/api/models?search=fit-&{query}", headers=headers).json()]
    mine = {"Authorization": f"Bearer {api.token}"}
    assert eventually(lambda: sorted(listed("kind=embedding", **mine)) == ["bob/fit-hidden", "bob/fit-minilm"], 60)
    assert listed("kind=embedding") == ["bob/fit-minilm"] and listed("kind=adapter") == []
    assert listed("fits=RTX 4090") == ["bob/fit-minilm"] == listed("fits=cpu:1GiB") and listed("fits=4MiB") == []
    assert requests.get(f"{hub.url}/api/models?fits=plenty").status_code == 400

    page.goto("/models?search=fit-")
    kind = page.locator("[data-facet=kind]").get_by_role("link", name="Embeddings")
    assert kind.locator("small").inner_text() == "1"
    kind.click()
    page.wait_for_url("**kind=embedding")
    page.locator("[data-facet=fits]").get_by_role("link", name="4 GiB GPU").click()
    page.wait_for_url("**fits=4GiB")
    assert names(page) == ["bob/fit-minilm"]
    page.get_by_label("Another device or memory").fill("RTX 3060 12GB:4MiB")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**fits=RTX*")
    page.get_by_text("No models fit all of this.").wait_for()
    assert "kind=embedding" in page.url and "fits=4GiB" not in page.url


def test_memories_are_asked_for_without_scripts(no_script):
    no_script.goto("/models?search=fit-")
    no_script.get_by_label("Another device or memory").fill("RTX 4090")
    no_script.get_by_role("button", name="Show", exact=True).click()
    assert names(no_script) == ["bob/fit-minilm"] and "search=fit-" in no_script.url
    assert no_script.locator(".active", has_text="RTX 4090").count() == 1


def test_spaces_are_tiles(page):
    page.goto("/spaces?author=lists")
    tile = page.locator(".tile", has_text="A tile")
    assert "Warm" in tile.inner_text()
    tile.get_by_role("link").first.click()
    page.wait_for_url("**/spaces/lists/tile")


def test_a_wrong_facet_is_said(page):
    page.expected.append("400")
    assert page.goto("/models?parameters=huge").status == 400
    assert page.get_by_role("link", name="Home").is_visible()


def test_on_a_phone_filters_unfold(phone):
    phone.goto("/models?author=lists")
    assert not phone.locator("[data-facet=task]").is_visible()
    phone.locator("label.facets-fold").tap()
    assert phone.locator("[data-facet=task]").is_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/models", "/models?task=text-generation&search=lamp", "/datasets", "/spaces", "/models?search=nothing-like-it"])
def test_lists_are_accessible(open_page, check_axe, path, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(path)
    check_axe(page)
