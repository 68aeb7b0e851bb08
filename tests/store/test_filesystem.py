import os

import pytest

from nbflow.store.filesystem import file_system, is_network

MOUNTS = """\
22 1 {device} / / rw,relatime shared:1 - {kind} /dev/vda rw
30 22 0:99 / /elsewhere rw - nfs4 server:/x rw
"""


@pytest.mark.parametrize(
    ("kind", "network"), [("ext4", False), ("nfs4", True), ("fuse.sshfs", True), ("tmpfs", False)]
)
def test_by_the_device_of_the_folder(tmp_path, kind, network):
    number = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(device=f"{os.major(number)}:{os.minor(number)}", kind=kind))
    assert file_system(tmp_path, mounts) == kind
    assert is_network(tmp_path, mounts) is network


def test_by_the_longest_mount_point_where_devices_do_not_tell(tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:1000 / / rw - btrfs /dev/a rw\n"
        f"23 1 0:1001 / {tmp_path} rw - cifs //server/x rw\n"
        f"24 1 0:1002 / {tmp_path}x rw - ext4 /dev/b rw\n"
    )
    assert file_system(tmp_path, mounts) == "cifs"


def test_unknown_where_the_system_does_not_tell(tmp_path):
    assert file_system(tmp_path, tmp_path / "none") == ""
    assert not is_network(tmp_path, tmp_path / "none")
