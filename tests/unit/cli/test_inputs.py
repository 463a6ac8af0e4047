"""The recordings that arguments name, and the files that are left out."""

import os

import pytest

from aqscore.cli.inputs import SUFFIXES, Input, Selection, listed
from aqscore.errors import BadRequest, ObjectNotFound


def made(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def found(selection: Selection, folder) -> list[str]:
    return [os.path.relpath(each.path, folder) for each in selection.find([str(folder)])]


def test_recognised_suffixes_are_taken_and_others_counted(tmp_path):
    made(tmp_path, *(f"a{suffix}" for suffix in SUFFIXES), "B.WAV", "n.txt", "m.txt", "o.pdf", "README")
    selection = Selection()
    assert found(selection, tmp_path) == sorted(["B.WAV", *(f"a{suffix}" for suffix in SUFFIXES)])
    assert selection.skipped == {".txt": 2, ".pdf": 1, "no suffix": 1}


def test_hidden_files_and_folders_are_left_out(tmp_path):
    made(tmp_path, "._a.wav", ".a.wav", ".git/b.wav", "c/._d.wav", "c/d.wav")
    selection = Selection()
    assert found(selection, tmp_path) == ["c/d.wav"]
    assert selection.skipped == {"hidden": 4}


def test_a_hidden_file_that_is_named_is_taken(tmp_path):
    made(tmp_path, ".a.wav")
    assert list(Selection().find([str(tmp_path / ".a.wav")])) == [Input(str(tmp_path / ".a.wav"))]


def test_include_and_exclude_are_patterns_of_names_and_paths(tmp_path):
    made(tmp_path, "in/a.wav", "in/b.raw", "out/c.wav", "hold-1.wav")
    assert found(Selection(include=["*.raw"]), tmp_path) == ["in/b.raw"]
    assert found(Selection(exclude=["hold-*", "out"]), tmp_path) == ["in/a.wav"]
    assert found(Selection(include=["*/in/*"]), tmp_path) == ["in/a.wav", "in/b.raw"]
    assert list(Selection(exclude=["hold-*"]).find([str(tmp_path / "hold-1.wav")])) == []


def test_pipes_and_linked_folders_in_a_folder_are_left_out(tmp_path):
    made(tmp_path, "a/b.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "linked").symlink_to(tmp_path)
    (tmp_path / "nowhere.wav").symlink_to(tmp_path / "missing")
    selection = Selection()
    assert found(selection, tmp_path) == ["a/b.wav", "nowhere.wav"]  # a broken link gets its line
    assert selection.skipped == {"special file": 1, "linked folder": 1}


def test_an_unreadable_folder_gets_a_line_and_the_others_are_read(tmp_path):
    made(tmp_path, "a/1.wav", "b/2.wav", "c/3.wav")
    (tmp_path / "b").chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # root may read everything
            for folder in (tmp_path, *tmp_path.parents):
                if not folder.stat().st_mode & 0o005:
                    folder.chmod(folder.stat().st_mode | 0o055)
            os.seteuid(65534)
        inputs = list(Selection().find([str(tmp_path)]))
    finally:
        os.seteuid(user)
        (tmp_path / "b").chmod(0o700)
    assert [os.path.relpath(each.path, tmp_path) for each in inputs] == ["a/1.wav", "b", "c/3.wav"]
    assert isinstance(inputs[1].error, ObjectNotFound)
    assert "Permission denied" in inputs[1].error.message


@pytest.mark.parametrize(
    "content",
    [b"a.wav\nb c.wav\n", b"a.wav\r\n\r\nb c.wav", b"a.wav\0b c.wav\0"],
    ids=["lines", "crlf", "nul"],
)
def test_a_list_has_a_path_a_line(tmp_path, content):
    (tmp_path / "list").write_bytes(content)
    assert listed(str(tmp_path / "list")) == ["a.wav", "b c.wav"]


def test_a_list_keeps_names_in_any_bytes(tmp_path):
    (tmp_path / "list").write_bytes(b"caf\xe9.wav\n")
    assert [os.fsencode(each) for each in listed(str(tmp_path / "list"))] == [b"caf\xe9.wav"]


def test_a_kaldi_list_is_read_and_its_commands_are_not_run(tmp_path):
    path = tmp_path / "wav.scp"
    path.write_text("utt1 a b.wav\nutt2 sph2pipe -f wav x.sph |\nutt3 feats.ark:123\n")
    plain, command, archive = listed(str(path))
    assert plain == "a b.wav"
    assert isinstance(command.error, BadRequest)
    assert isinstance(archive.error, BadRequest)


def test_a_list_that_cannot_be_read_is_a_wrong_request(tmp_path):
    with pytest.raises(BadRequest, match="No such file"):
        listed(str(tmp_path / "nowhere"))
