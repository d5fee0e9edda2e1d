"""What real torch.hub, huggingface_hub, tensorflow_hub and requests load, and the pins that fix it.

Each runs in its own environment and asks a server on this machine.
"""

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import io
import json
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.client.trace import Foreign, Program, trace

ENVIRONMENTS = Path(__file__).parents[2] / ".venv" / "environments"
COMMIT = "0123456789abcdef" * 2 + "01234567"
ONNX = b"onnx" * 1000
HUBCONF = "dependencies = ['torch']\ndef digits(width=8):\n    import torch\n    return torch.nn.Linear(width, 10)\n"

Answer = tuple[bytes, dict[str, str]]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def answers() -> dict[str, Answer]:
    """What the server answers, by path; tests add to it."""
    return {}


@pytest.fixture
def site(answers: dict[str, Answer]) -> Iterator[str]:
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = answers.get(self.path.partition("?")[0], (b"", {}))
            self.send_response(200 if body else 404)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (http.server names it)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(30)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "TORCH_HOME", "HF_HOME", "TFHUB_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def foreign(python: str | Path, text: str, *arguments: str) -> list[Foreign]:
    """What the program loads; it must end well, and nothing of the trace may fail."""
    Path("program.py").write_text(text, encoding="utf-8")
    told = trace(Program("program.py", arguments, python=str(python)), stdout=2)
    assert (told.exit_code, told.failed) == (0, ())
    return list(told.foreign)


def environment(name: str) -> Path:
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment for {name}: make test-frameworks sets it up")
    return python


@pytest.fixture
def torch() -> str:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed: make test-frameworks installs it")
    return sys.executable


def archive(comment: str) -> bytes:
    """A repository as GitHub packs it: below one folder, with the commit as comment."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(f"acme-digits-{comment[:7]}/", "")
        file.writestr(f"acme-digits-{comment[:7]}/hubconf.py", HUBCONF)
        file.comment = comment.encode()
    return packed.getvalue()


# GitHub's addresses stand in the code of torch.hub: the program leads them to the test's server
FROM_GITHUB = """
import sys, torch
torch.hub._git_archive_link = lambda owner, name, ref: f"{sys.argv[1]}/{owner}/{name}/{ref}"
for ref in sys.argv[2:]:
    model = torch.hub.load(ref, "digits", width=2, trust_repo=True, skip_validation=True)
    assert model.in_features == 2
"""


def test_torch_repositories(torch: str, site: str, answers: dict[str, Answer]) -> None:
    answers |= {f"/acme/digits/{ref}": (archive(COMMIT), {}) for ref in ("v1", COMMIT)}
    call = f'torch.hub.load("acme/digits:{COMMIT}", "digits")'
    arrived = "skip_validation=True where the commit is no longer the tip of a branch or tag"
    names = ["acme/digits:v1", f"acme/digits:{COMMIT}"]
    assert foreign(torch, FROM_GITHUB, site, *names) == [
        Foreign("torch.hub", "acme/digits:v1 digits", call, arrived),
        Foreign("torch.hub", f"acme/digits:{COMMIT} digits", call, "is pinned"),
    ]
    cached = foreign(torch, FROM_GITHUB, site, "acme/digits:v1")
    assert [each.pin for each in cached] == [None]
    assert 'pin to a commit: "acme/digits:COMMIT"' in str(cached[0].hint)


def test_torch_folders(torch: str, tmp_path: Path) -> None:
    for name in ("plain", "cloned"):
        Path(name).mkdir()
        Path(name, "hubconf.py").write_text(HUBCONF)
    Path("cloned/.git/refs/heads").mkdir(parents=True)
    Path("cloned/.git/HEAD").write_text("ref: refs/heads/main\n")
    Path("cloned/.git/refs/heads/main").write_text(COMMIT + "\n")
    told = foreign(
        torch,
        "import torch\nfor name in ('plain', 'cloned'):\n"
        "    torch.hub.load(name, 'digits', source='local')\n",
    )
    hint = "a folder of this machine: shelf init {} makes a package of it"
    assert told == [
        Foreign("torch.hub", "plain digits", None, hint.format(tmp_path / "plain")),
        Foreign("torch.hub", "cloned digits", f"commit {COMMIT}", hint.format(tmp_path / "cloned")),
    ]


WEIGHTS = """
import sys, torch
from torch.hub import load_state_dict_from_url
from torch.utils.model_zoo import load_url
site, good = sys.argv[1:]
assert load_state_dict_from_url(f"{site}/plain.pth")["x"].tolist() == [1.0]
load_url(f"{site}/checked-{good}.pth", check_hash=True)
load_state_dict_from_url(f"{site}/unchecked-{good}.pth")
load_state_dict_from_url(f"{site}/wrong-00000000.pth")
torch.hub.download_url_to_file(f"{site}/file.pth", "file.pth", progress=False)
"""


def test_torch_weights(torch: str, site: str, answers: dict[str, Answer], tmp_path: Path) -> None:
    made = tmp_path / "made.pth"
    foreign(torch, f"import torch\ntorch.save({{'x': torch.ones(1)}}, {str(made)!r})\n")
    data = made.read_bytes()
    good = digest(data)[:8]
    names = ("plain", f"checked-{good}", f"unchecked-{good}", "wrong-00000000", "file")
    answers |= {f"/{name}.pth": (data, {}) for name in names}
    size = f"{len(data):,} bytes"
    expected = [
        ("plain", f'file_name="plain-{good}.pth", check_hash=True', f"sha256 {digest(data)}, {size}"),
        (f"checked-{good}", "check_hash=True", "is pinned"),
        (f"unchecked-{good}", "check_hash=True",
         f"the file has the sha256 that its name promises, {good}..."),
        ("wrong-00000000", "check_hash=True",
         f"the name promises sha256 00000000..., the file has {digest(data)}"),
        ("file", f'hash_prefix="{digest(data)}"', size),
    ]  # fmt: skip
    rows = [Foreign("torch.hub", f"{site}/{name}.pth", pin, hint) for name, pin, hint in expected]
    assert foreign(torch, WEIGHTS, site, good) == rows
    answers.pop("/plain.pth")  # the second time all comes from the cache, but for the last
    assert foreign(torch, WEIGHTS, site, good) == rows


@pytest.fixture
def repository(answers: dict[str, Answer], site: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A repository on a server that answers as the Hub does."""
    monkeypatch.setenv("HF_ENDPOINT", site)
    name = "acme/digits"
    for revision in ("main", COMMIT):
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{digest(ONNX)[:40]}"'}
        answers[f"/{name}/resolve/{revision}/model.onnx"] = (ONNX, headers)
        answers[f"/api/models/{name}/revision/{revision}"] = _json(
            {"id": name, "sha": COMMIT, "siblings": [{"rfilename": "model.onnx"}]}
        )
        answers[f"/api/models/{name}"] = answers[f"/api/models/{name}/revision/{revision}"]
        answers[f"/api/models/{name}/tree/{revision}"] = _json(
            [{"type": "file", "path": "model.onnx", "size": len(ONNX), "oid": digest(ONNX)[:40]}]
        )
    return name


def _json(value: object) -> Answer:
    return json.dumps(value).encode(), {"Content-Type": "application/json"}


PIN = f'revision="{COMMIT}"'
BRANCH = "asked for: the default branch"
HUB = "from huggingface_hub import hf_hub_download, snapshot_download, try_to_load_from_cache\n"


@pytest.mark.parametrize(
    ("call", "what", "hint"),
    [
        ("hf_hub_download({0!r}, 'model.onnx')", "{0} model.onnx", BRANCH),
        ("hf_hub_download({0!r}, 'model.onnx', revision='main')", "{0} model.onnx",
         "asked for: main"),
        ("hf_hub_download({0!r}, 'model.onnx', revision={1!r})", "{0} model.onnx", "is pinned"),
        ("hf_hub_download({0!r}, 'model.onnx', local_dir='below/here')", "{0} model.onnx", BRANCH),
        ("snapshot_download({0!r})", "{0} model.onnx", BRANCH),
        ("snapshot_download({0!r}, local_dir='here')", "{0} model.onnx", BRANCH),
        ("from huggingface_hub import HfApi; HfApi().hf_hub_download({0!r}, 'model.onnx')",
         "{0} model.onnx", BRANCH),
    ],
)  # fmt: skip
def test_huggingface(call: str, what: str, hint: str, repository: str) -> None:
    python = environment("huggingface")
    told = foreign(python, HUB + call.format(repository, COMMIT))
    assert told == [Foreign("huggingface_hub", what.format(repository), PIN, hint)]


def test_huggingface_offline(repository: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the cache is told as well."""
    python = environment("huggingface")
    foreign(python, f"{HUB}hf_hub_download({repository!r}, 'model.onnx')")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for call in ("hf_hub_download", "try_to_load_from_cache"):
        told = foreign(python, f"{HUB}assert {call}({repository!r}, 'model.onnx')")
        assert [(each.pin, each.hint) for each in told] == [(PIN, BRANCH)]
    asked = f"{HUB}assert snapshot_download({repository!r})"
    assert [each.pin for each in foreign(python, asked)] == [PIN]
    assert foreign(python, f"{HUB}assert not try_to_load_from_cache('acme/none', 'x')") == []


def test_requests(site: str, answers: dict[str, Answer]) -> None:
    answers["/model.onnx"] = (ONNX, {})
    ways = (
        "requests.get(url).content",
        "b''.join(requests.get(url, stream=True).iter_content(99))",
        "requests.get(url, stream=True).raw.read()",
        "urllib3.request('GET', url).data",
    )
    for way in ways:
        text = f"import sys, requests, urllib3\nurl = sys.argv[1]\nassert {way}\n"
        told = foreign(environment("huggingface"), text, f"{site}/model.onnx")
        assert [each.pin for each in told] == [f"sha256:{digest(ONNX)}"], way


TENSORFLOW = """
import sys, tensorflow as tf, tensorflow_hub as hub
site = sys.argv[1]
assert hub.load("made")(tf.constant([2.0])).numpy() == [4.0]
assert hub.load(site + "/acme/double/4")(tf.constant([2.0])).numpy() == [4.0]
hub.KerasLayer(site + "/acme/double")
hub.resolve(site + "/double.tar.gz")
"""
MADE = """
import tensorflow as tf
class Double(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, x):
        return x * 2.0
tf.saved_model.save(Double(), "made")
"""


def test_tensorflow_hub(site: str, answers: dict[str, Answer], tmp_path: Path) -> None:
    python = environment("tensorflow")
    foreign(python, MADE)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        file.add("made", ".")
    data = packed.getvalue()
    answers |= {each: (data, {}) for each in ("/acme/double/4", "/acme/double", "/double.tar.gz")}
    arrived = f"archive of {len(data):,} bytes, sha256 {digest(data)}"
    local = f"a folder of this machine: shelf init {tmp_path / 'made'} makes a package of it"
    rows = [
        ("made", None, local),
        (f"{site}/acme/double/4", f"{site}/acme/double/4", arrived),
        (f"{site}/acme/double", None,
         f"the handle has no version: {site}/acme/double/VERSION ({arrived})"),
        (f"{site}/double.tar.gz", f"sha256:{digest(data)}", arrived),
    ]  # fmt: skip
    assert foreign(python, TENSORFLOW, site) == [Foreign("tensorflow_hub", *row) for row in rows]
    hints = [each.hint for each in foreign(python, TENSORFLOW, site)]
    assert hints[1:] == [
        "is pinned by its version",
        f"the handle has no version: {site}/acme/double/VERSION",
        "read from the cache",
    ]
