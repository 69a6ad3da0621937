"""datasets reads and writes real tables through the hub."""
import csv
import io

import pytest
from datasets import Dataset, DatasetDict, get_dataset_config_names, get_dataset_split_names, load_dataset


@pytest.fixture(scope="module")
def iris(data):
    """The iris measurements with named columns, as CSV text (the packaged file has a line of counts on top)."""
    rows = list(csv.reader((data / "tables" / "iris.csv").open()))[1:]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["sepal_length", "sepal_width", "petal_length", "petal_width", "species"])
    writer.writerows(rows)
    return out.getvalue(), rows


@pytest.fixture(scope="module")
def table(api, iris):
    repo_id = "bob/iris"
    api.create_repo(repo_id, repo_type="dataset")
    text = iris[0].encode()
    lines = text.splitlines(keepends=True)
    api.upload_file(path_or_fileobj=text, path_in_repo="data/train.csv", repo_id=repo_id, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"".join(lines[:11]), path_in_repo="data/test.csv", repo_id=repo_id,
                    repo_type="dataset")
    return repo_id


def test_load(table, iris, cache):
    loaded = load_dataset(table, cache_dir=str(cache))
    assert set(loaded) == {"train", "test"}
    assert loaded["train"].num_rows == 150 and loaded["test"].num_rows == 10
    first = loaded["train"][0]
    assert [first[name] for name in ("sepal_length", "sepal_width")] == [float(value) for value in iris[1][0][:2]]
    assert loaded["train"]["species"][:] == [int(row[4]) for row in iris[1]]


def test_stream(table, iris):
    streamed = load_dataset(table, split="train", streaming=True)
    rows = list(streamed)
    assert len(rows) == 150
    assert [row["petal_width"] for row in rows] == [float(row[3]) for row in iris[1]]
    assert next(iter(streamed.skip(149)))["species"] == int(iris[1][149][4])


def test_names(table):
    assert get_dataset_config_names(table) == ["default"]
    assert set(get_dataset_split_names(table)) == {"train", "test"}


def test_configurations_from_the_card(api, new_id, iris, cache):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="dataset")
    api.upload_file(path_or_fileobj=iris[0].encode(), path_in_repo="tables/all.csv", repo_id=repo_id, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"---\nconfigs:\n- config_name: everything\n  data_files:\n  - split: whole\n"
                    b"    path: tables/all.csv\n---\n", path_in_repo="README.md", repo_id=repo_id, repo_type="dataset")
    assert get_dataset_config_names(repo_id) == ["everything"]
    assert load_dataset(repo_id, "everything", split="whole", cache_dir=str(cache)).num_rows == 150


def test_at_a_revision(api, new_id, cache):
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="dataset")
    old = api.upload_file(path_or_fileobj=b"a\n1\n", path_in_repo="train.csv", repo_id=repo_id, repo_type="dataset").oid
    api.upload_file(path_or_fileobj=b"a\n1\n2\n", path_in_repo="train.csv", repo_id=repo_id, repo_type="dataset")
    assert load_dataset(repo_id, split="train", revision=old, cache_dir=str(cache)).num_rows == 1
    assert load_dataset(repo_id, split="train", cache_dir=str(cache)).num_rows == 2


@pytest.mark.parametrize("private", [False, True])
def test_push_to_hub_and_back(new_id, tokens, api, cache, private):
    repo_id = new_id()
    made = DatasetDict({
        "train": Dataset.from_dict({"text": [f"row {n}" for n in range(500)], "label": list(range(500))}),
        "test": Dataset.from_dict({"text": ["t"], "label": [0]})})
    made.push_to_hub(repo_id, token=tokens["bob"], private=private)
    assert api.dataset_info(repo_id).private is private
    back = load_dataset(repo_id, token=tokens["bob"], cache_dir=str(cache))
    assert back["train"].to_dict() == made["train"].to_dict()
    assert back["test"].num_rows == 1
    info = api.dataset_info(repo_id)
    assert any(item.rfilename.endswith(".parquet") for item in info.siblings)
    streamed = load_dataset(repo_id, split="train", streaming=True, token=tokens["bob"])
    assert next(iter(streamed))["text"] == "row 0"


def test_push_a_second_configuration(new_id, tokens, cache):
    repo_id = new_id()
    for name, value in (("one", 1), ("two", 2)):
        Dataset.from_dict({"x": [value]}).push_to_hub(repo_id, name, token=tokens["bob"])
    assert set(get_dataset_config_names(repo_id, token=tokens["bob"])) == {"one", "two"}
    assert load_dataset(repo_id, "two", split="train", cache_dir=str(cache))["x"][0] == 2


def test_a_missing_data_set(cache):
    from datasets.exceptions import DatasetNotFoundError
    with pytest.raises(DatasetNotFoundError):
        load_dataset("bob/never-made-table", cache_dir=str(cache))


def test_a_private_data_set_is_not_found_by_others(api, new_id, tokens, cache):
    from datasets.exceptions import DatasetNotFoundError
    repo_id = new_id()
    api.create_repo(repo_id, repo_type="dataset", private=True)
    api.upload_file(path_or_fileobj=b"a\n1\n", path_in_repo="train.csv", repo_id=repo_id, repo_type="dataset")
    with pytest.raises(DatasetNotFoundError):
        load_dataset(repo_id, token=tokens["mallory"], cache_dir=str(cache / "m"))
    assert load_dataset(repo_id, token=tokens["bob"], split="train", cache_dir=str(cache / "b")).num_rows == 1
