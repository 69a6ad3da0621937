"""Parquet files as pyarrow writes them, in every codec, encoding and type: the page shows the rows that pyarrow reads."""
import datetime
import decimal
import html.parser
import itertools
import json
import math
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from huggingface_hub import CommitOperationAdd

ROWS = 100
UTC = datetime.timezone.utc


def columns():
    def every_third_null(values):
        return [None if i % 3 == 2 else value for i, value in enumerate(values)]
    n = range(ROWS)
    day = datetime.date(2024, 2, 28)
    yield "int8", pa.array(every_third_null([i - 50 for i in n]), pa.int8())
    yield "uint8", pa.array([i * 2 for i in n], pa.uint8())
    yield "int32", pa.array([(-1) ** i * i ** 4 for i in n], pa.int32())
    yield "uint32", pa.array([2**32 - 1 - i for i in n], pa.uint32())
    yield "int64", pa.array(every_third_null([(-1) ** i * 3 ** (i % 39) for i in n]), pa.int64())
    yield "uint64", pa.array([2**63 + i for i in n], pa.uint64())
    yield "bool", pa.array(every_third_null([i % 5 == 0 for i in n]), pa.bool_())
    yield "half", pa.array([float(i) / 4 for i in n], pa.float16())
    yield "float", pa.array([i / 3 for i in n], pa.float32())
    yield "double", pa.array([math.inf if i == 1 else -math.inf if i == 2 else math.nan if i == 3 else math.sin(i) for i in n], pa.float64())
    yield "string", pa.array(every_third_null([["", "plain", "grüße ☂", "日本語" * 5, "a\nb"][i % 5] for i in n]), pa.string())
    yield "prefixed", pa.array([f"https://example.org/{i // 10}/{i}" for i in n], pa.string())
    yield "bytes", pa.array([bytes([0, 255, i]) for i in n], pa.binary())
    yield "fixed", pa.array([bytes([255, 0, 128, i]) for i in n], pa.binary(4))
    yield "date", pa.array([day + datetime.timedelta(days=300 * (i - 50)) for i in n], pa.date32())
    yield "time_ms", pa.array([datetime.time(i % 24, i % 60, 7, i * 1000) for i in n], pa.time32("ms"))
    yield "time_us", pa.array([datetime.time(i % 24, i % 60, 7, i) for i in n], pa.time64("us"))
    for unit in ("ms", "us", "ns"):
        yield f"at_{unit}", pa.array([datetime.datetime(1960 + i, 3, 1, 4, 5, 6, i * 1000) for i in n], pa.timestamp(unit))
    yield "at_utc", pa.array([datetime.datetime(2000, 1, 1, i % 24, tzinfo=UTC) for i in n], pa.timestamp("us", "UTC"))
    yield "decimal", pa.array([decimal.Decimal((-1) ** i * i) / 100 for i in n], pa.decimal128(10, 2))
    yield "decimal_long", pa.array([decimal.Decimal(10) ** 30 + i for i in n], pa.decimal128(38, 4))
    yield "list", pa.array([None if i % 7 == 3 else [] if i % 7 == 4 else [i, None, i * 2][: i % 4] for i in n], pa.list_(pa.int32()))
    yield "lists", pa.array([[["a"] * (i % 3), None, []][: i % 4] if i % 5 else None for i in n], pa.list_(pa.list_(pa.string())))
    yield "few", pa.array([f"label {i % 3}" for i in n]).dictionary_encode()


TABLE = pa.table(dict(columns()))
STRUCTS = pa.table({"who": pa.array([{"name": f"n{i}", "at": {"x": i, "y": None}} if i % 4 else None for i in range(ROWS)]),
                    "map": pa.array([[("k", i), ("l", None)] if i % 3 else None for i in range(ROWS)], pa.map_(pa.string(), pa.int32())),
                    "people": pa.array([[{"age": i}, {"age": None}] for i in range(ROWS)])})
TEXTS = [name for name in TABLE.column_names if name in ("string", "prefixed", "bytes")]
NUMBERS = [name for name in TABLE.column_names if name in ("int32", "int64", "at_us", "date", "uint64")]


def variants():
    for codec, version in itertools.product(("none", "snappy", "gzip", "zstd", "lz4"), ("1.0", "2.0")):
        yield f"{codec}-{version}", TABLE, {"compression": codec, "data_page_version": version}
    plain = {"use_dictionary": False, "compression": "snappy"}
    yield "plain", TABLE, plain
    yield "delta", TABLE, {**plain, "column_encoding": {**dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"), **dict.fromkeys(TEXTS, "DELTA_BYTE_ARRAY")}}
    yield "delta-lengths", TABLE, {**plain, "column_encoding": dict.fromkeys(TEXTS, "DELTA_LENGTH_BYTE_ARRAY")}
    yield "split", TABLE, {**plain, "column_encoding": dict.fromkeys(("float", "double", "int32", "int64", "fixed"), "BYTE_STREAM_SPLIT")}
    yield "booleans-by-runs", TABLE, {**plain, "column_encoding": {"bool": "RLE"}}
    yield "many-pages", TABLE, {"data_page_size": 64, "write_batch_size": 7, "row_group_size": 30}
    yield "int96", TABLE.select(["at_ns"]), {"use_deprecated_int96_timestamps": True}
    yield "small-dictionary", TABLE, {"dictionary_pagesize_limit": 100, "data_page_size": 200, "write_batch_size": 10}
    yield "structs", STRUCTS, {}
    yield "no-rows", TABLE.slice(0, 0), {}


VARIANTS = {name: (table, options) for name, table, options in variants()}


class Cells(html.parser.HTMLParser):
    """The first table of a page."""

    def __init__(self, text):
        super().__init__()
        self.heads, self.rows, self.cell, self.tables = [], [], None, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tables += tag == "table"
        if self.tables != 1:
            return
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, text):
        if self.cell is not None:
            self.cell += text

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            (self.rows[-1] if tag == "td" else self.heads).append(self.cell)
            self.cell = None


def text_of(value):
    """As the page writes a value of pyarrow's."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return str(value)


def same(shown, value):
    if isinstance(value, list):
        return json.loads(shown) == value
    if isinstance(value, bool):
        return shown == str(value).lower()
    if isinstance(value, (int, float)) and math.isfinite(value):
        return math.isclose(float(shown), value, rel_tol=1e-6, abs_tol=1e-12) if isinstance(value, float) else shown == str(value)
    if isinstance(value, (datetime.datetime, datetime.time)):
        return shown.rstrip("0").rstrip(".") == text_of(value).rstrip("0").rstrip(".")
    if isinstance(value, decimal.Decimal):
        return decimal.Decimal(shown) == value
    return shown == text_of(value)


@pytest.fixture(scope="module")
def repo(api, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet")
    for name, (table, options) in VARIANTS.items():
        pq.write_table(table, folder / f"{name}.parquet", **options)
    api.create_repo("bob/rows", repo_type="dataset")
    whole = (folder / "plain.parquet").read_bytes()
    damaged = {"cut": whole[:-1], "no-footer": whole[:-8] + b"\xff\xff\xff\x7fPAR1", "zeros": whole[:4] + bytes(len(whole) - 3000) + whole[-2996:], "short": b"PAR1"}
    api.create_commit("bob/rows", [
        *(CommitOperationAdd(path.name, str(path)) for path in folder.iterdir()),
        *(CommitOperationAdd(f"damaged/{name}.parquet", data) for name, data in damaged.items())], repo_type="dataset", commit_message="Rows")
    return "bob/rows"


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in ("structs",)])
def test_rows_are_those_of_pyarrow(hub, repo, name):
    answer = requests.get(f"{hub.url}/datasets/{repo}/blob/main/{name}.parquet", timeout=60)
    assert answer.status_code == 200 and "Not all could be read" not in answer.text
    page = Cells(answer.text)
    table = VARIANTS[name][0]
    assert page.heads[1:] == table.column_names
    rows = [row for row in page.rows if row]
    assert len(rows) == min(ROWS, table.num_rows)
    for index, column in enumerate(table.column_names):
        for shown, scalar in zip((row[index + 1] for row in rows), table[column]):
            value = scalar.as_py() if not pa.types.is_timestamp(scalar.type) or scalar.type.unit != "ns" else scalar.as_py().to_pydatetime() if hasattr(scalar.as_py(), "to_pydatetime") else scalar.as_py()
            assert same(shown, value), (name, column, shown, value)


def test_groups_are_columns_with_a_path(hub, repo):
    page = Cells(requests.get(f"{hub.url}/datasets/{repo}/blob/main/structs.parquet", timeout=60).text)
    assert page.heads[1:] == ["who.name", "who.at.x", "who.at.y", "map.key", "map.value", "people.age"]
    rows = [row for row in page.rows if row]
    assert rows[0][1:] == ["", "", "", "", "", "[0,null]"]
    assert rows[5][1:] == ["n5", "5", "", '["k","l"]', "[5,null]", "[5,null]"]


@pytest.mark.parametrize("name", ["cut", "no-footer", "zeros", "short"])
def test_damaged_files_say_what_is_wrong(hub, repo, name):
    answer = requests.get(f"{hub.url}/datasets/{repo}/blob/main/damaged/{name}.parquet", timeout=60)
    assert answer.status_code == 200
    assert "Parquet file" in answer.text and "could be read" in answer.text


def test_a_table_is_shown_in_a_browser(page, repo, check_axe):
    page.goto(f"/datasets/{repo}/blob/main/snappy-2.0.parquet")
    page.get_by_text("100 rows").wait_for()
    page.get_by_text("Schema: ").click()
    assert page.get_by_role("row").filter(has_text="list<list<string>>").is_visible()
    check_axe(page)
