"""The decision note of the command line: the choice is the author's, never made for them."""
import json
import subprocess

import pytest

from test_labelled import BINARY


@pytest.fixture
def folders(tmp_path):
    for name, licence in (("first", "mit"), ("second", "apache-2.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(f"---\nlicense: {licence}\n---\n# {name}\n\nA model.\n")
    return [str(tmp_path / "first"), str(tmp_path / "second")]


def note(*arguments):
    return subprocess.run([str(BINARY), "note", "--format", "json", *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_without_a_choice_among_several_the_note_leaves_it_open_and_says_how_to_choose(folders):
    done = note(*folders)
    assert done.returncode == 0 and "--chosen" in done.stderr
    answer = json.loads(done.stdout)
    assert answer["chosen"] is None and answer["why"] == "" and answer["title"] == "first or second"
    assert not any(repo["chosen"] for repo in answer["repositories"])


def test_what_is_chosen_is_argued_for(folders):
    done = note(*folders, "--chosen", "2")
    answer = json.loads(done.stdout)
    assert done.stderr == "" and answer["chosen"] == 1 and answer["why"].startswith("second") and "Risk of first" in answer["why"]


def test_one_repository_alone_is_what_the_note_is_about(folders):
    done = note(folders[0])
    assert done.stderr == "" and json.loads(done.stdout)["chosen"] == 0


@pytest.mark.parametrize("arguments", [["--chosen", "3"], ["--answers", "answers.json"]])
def test_a_choice_that_is_not_there_is_refused(folders, arguments):
    done = note(*folders, *arguments)
    assert done.returncode != 0 and "--chosen" in done.stderr and done.stdout == ""
