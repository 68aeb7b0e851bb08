from nbflow.controller.inbox import Inbox, PodCleared
from nbflow.controller.removal import (
    FilesOf,
    KeptRoot,
    own_artifacts,
    remove_files,
    remove_tree,
    size_of,
    surplus,
    sweep,
)
from nbflow.spec.status import NodeStatus, NodeType
from nbflow.store import Home


def node(*artifacts):
    outputs = {"artifacts": list(artifacts)}
    return NodeStatus(id="n", name="n", display_name="n", type=NodeType.POD, outputs=outputs)


def at(key, **more):
    return {"name": f"{key}{more}", "s3": {"key": key, **more}}


def test_artifacts_under_the_name_of_the_workflow_are_its_own():
    mine = at("wf/pod/a.tgz")
    others = at("shared/a.tgz"), at("wfx/a.tgz"), at("wf/a", bucket="b"), {"name": "r", "raw": {"data": "x"}}
    assert own_artifacts([node(mine, *others)], "wf") == [mine]


def test_all_files_of_a_workflow_go_and_no_others(tmp_path):
    home = Home(tmp_path)
    for path in ("workflows/u/pod/main.log", "workflows/v/pod/main.log"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("x")
    for key in ("wf/pod/a.tgz", "shared/a.tgz"):
        (home.artifacts / key).parent.mkdir(parents=True)
        (home.artifacts / key).write_text("x")
    keys = at("wf/pod/a.tgz"), at("shared/a.tgz"), at("wf/../../escape"), at("wf/gone")
    remove_files(FilesOf(home, "u", "wf", [node(*keys)]))
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["artifacts/shared/a.tgz", "workflows/v/pod/main.log"]
    assert not (home.artifacts / "wf").exists()
    remove_files(FilesOf(home, "u", "wf", [node(*keys)]))


def test_what_was_made_read_only_goes_too_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("stays")
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").write_text("x")
    (tree / "link").symlink_to(outside)
    (tree / "deep").chmod(0)
    tree.chmod(0o500)
    remove_tree(tree)
    assert not tree.exists()
    assert (outside / "file").read_text() == "stays"


def root(pod, ended, size):
    return KeptRoot(1, "host", pod, ended, size)


def test_the_oldest_go_first_and_only_as_many_as_needed():
    roots = [root("a", 100.0, 5), root("b", 200.0, 5), root("c", 300.0, 5)]
    assert surplus(roots, longest=1e9, most=15, now=400.0) == []
    assert surplus(roots, longest=1e9, most=9, now=400.0) == [roots[0], roots[1]]
    assert surplus(roots, longest=150.0, most=99, now=400.0) == [roots[0], roots[1]]
    assert surplus([], longest=1.0, most=0, now=400.0) == []


def test_the_size_of_a_folder_counts_what_is_on_the_disk(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert 100_000 <= size_of(tmp_path) < 130_000
    assert size_of(tmp_path / "none") == 0


def test_kept_roots_are_swept(house, make):
    from datetime import timedelta

    name = house.submit([make["container"]("main")])
    house.until(lambda: house.runtime.running(name))
    house.runtime.end(name, 1)
    house.until(lambda: house.settled(name))
    folder = house.home.pod(house.get(name).uid, name)
    folder.mkdir(parents=True)
    (folder / "big").write_bytes(b"x" * 50_000)
    dropped, inbox = [], Inbox()
    forget = lambda *what: dropped.append(what)  # noqa: E731
    sweep(house.home, inbox, forget, longest=timedelta(days=1), most=1 << 20)
    assert dropped == []
    sweep(house.home, inbox, forget, longest=timedelta(days=1), most=1000)
    assert dropped == [("toy", name)]
    (message,) = inbox.take(0.0)
    assert message == PodCleared(house.ledger.find(name).key, name, kept=False)
    house.tell(message)
    house.loop.turn(0.0)
    assert house.ledger.kept_pods() == []
