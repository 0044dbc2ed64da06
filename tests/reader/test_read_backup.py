"""The stranger's reader takes every golden backup and refuses what it can tell to be bad."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
# These need BSON, XXH3 or the closed lists of names and options.
BEYOND_IT = {"size_differs", "digest_differs", "option_unknown", "catalog_invalid", "name_invalid", "header_invalid",
             "summary_invalid", "escape_invalid"}
BEYOND_IT_FILES = {"json_invalid.lone_surrogate.json"}


def run(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "read_backup.py"), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def names(folder: str) -> list[str]:
    return sorted(path.name for path in (GOLDEN / folder).iterdir())


@pytest.mark.parametrize("name", names("good"))
def test_a_good_backup_is_read(name: str) -> None:
    done = run(GOLDEN / "good" / name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in names("packed") if name.endswith(".gz")])
def test_a_backup_in_gzip_is_read(name: str) -> None:
    done = run(GOLDEN / "packed" / name)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_says_how_to_unpack_what_it_does_not_read(tmp_path: Path) -> None:
    assert "zstd -d" in run(GOLDEN / "packed" / "kinds.zstd-19.json.zst").stderr
    (tmp_path / "backup_20251012_162721.json.zst.age").write_bytes(b"age-encryption.org/v1\n-> X25519 \n")
    assert "age -d" in run(tmp_path / "backup_20251012_162721.json.zst.age").stderr


def test_it_prints_one_line_per_collection() -> None:
    done = run(GOLDEN / "good" / "kinds.json")
    assert done.stdout.splitlines() == [
        "test_database.users: 1 documents", "test_database.log: 1 documents", "test_database.clustered: 0 documents",
        "test_database.validated: 0 documents", "test_database.weather: 1 documents"]


@pytest.mark.parametrize("name", [n for n in names("bad") if n.split(".")[0] not in BEYOND_IT and n not in BEYOND_IT_FILES])
def test_a_bad_backup_is_refused(name: str) -> None:
    done = run(GOLDEN / "bad" / name)
    assert done.returncode == 1
    assert name in done.stderr


@pytest.mark.parametrize("name", names("legacy"))
def test_a_file_of_the_replaced_system_is_not_format_1(name: str) -> None:
    assert run(GOLDEN / "legacy" / name).returncode == 1


def test_every_byte_counts(tmp_path: Path) -> None:
    text = (GOLDEN / "good" / "empty_database.json").read_bytes()
    paths = []
    for at in range(len(text)):
        path = tmp_path / f"{at}.json"
        path.write_bytes(text[:at] + bytes([text[at] ^ 1]) + text[at + 1:])
        paths.append(path)
    code = "import sys, read_backup\nsys.exit(sum(read_backup.main([p]) == 0 for p in sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, cwd=HERE, check=False)
    assert done.returncode == 0


def test_the_bad_files_are_what_the_script_makes() -> None:
    assert subprocess.run([sys.executable, str(GOLDEN / "make_bad.py")], check=False).returncode == 0


def test_the_reader_stays_small_and_plain() -> None:
    source = (HERE / "read_backup.py").read_text()
    assert len(source.splitlines()) <= 170
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names) | {"__future__"}
