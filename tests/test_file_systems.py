"""Which file system holds a folder is read off the mounts, as the kernel tells them."""

from pathlib import Path

import pytest

from extractor import file_systems
from extractor.file_systems import Mount, mount_of, network_mount

MOUNTS = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:40 / /data rw,relatime shared:2 master:3 - nfs4 server:/export rw,vers=4.2
41 40 254:16 / /data/local rw - xfs /dev/vdb rw
42 27 0:42 / /shared\040files rw - cifs //server/share rw
43 27 0:43 / /home rw - autofs systemd-1 rw
44 43 0:44 / /home rw - nfs server:/home rw
45 27 0:45 / /mnt/sshfs rw - fuse.sshfs me@there: rw
a line of another kind
46 27 0:46 / /new rw -
"""
FOLDERS = {
    "/data/run": Mount("/data", "nfs4"),
    "/data": Mount("/data", "nfs4"),
    "/database/run": Mount("/", "ext4"),
    "/data/local/run": Mount("/data/local", "xfs"),
    "/shared files/a": Mount("/shared files", "cifs"),
    "/home/me": Mount("/home", "nfs"),
    "/mnt/sshfs/x/../y": Mount("/mnt/sshfs", "fuse.sshfs"),
    "/new/x": Mount("/", "ext4"),
}


@pytest.mark.parametrize(("folder", "mount"), FOLDERS.items())
def test_the_longest_mount_point_over_a_folder_holds_it(folder: str, mount: Mount) -> None:
    """Of several at one place the last; escapes in names are read, and lines that make no sense are passed over."""
    assert mount_of(Path(folder), MOUNTS) == mount


def test_a_link_is_on_the_file_system_that_it_leads_to(tmp_path: Path) -> None:
    """The database lies there."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    told = f"1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path}/there rw - nfs x rw\n"
    assert mount_of(tmp_path / "link" / "run", told) == Mount(f"{tmp_path}/there", "nfs")


def test_where_nobody_tells_it_is_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems without such a file, and folders that no line holds."""
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "no such file")
    assert network_mount(tmp_path) is None and mount_of(tmp_path, "") is None
