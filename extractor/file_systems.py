"""Which file system a folder is on, and whether a network is between: there memory cannot be shared and locks are weak."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

# What Linux tells of the mounts that a process sees; other systems have no such file, and count as local.
MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "glusterfs", "lustre", "gpfs", "beegfs",
    "orangefs", "pvfs2", "gfs2", "ocfs2", "davfs", "9p", "vboxsf", "prl_fs", "drvfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph",
    "fuse.davfs", "fuse.davfs2", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.juicefs", "fuse.moosefs",
    "fuse.mfs", "fuse.smbnetfs", "fuse.curlftpfs", "fuse.vmhgfs-fuse", "fuse.grpcfuse", "fuse.nfs-ganesha",
})  # fmt: skip
ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mount point and its file system's type, as the kernel names it."""

    place: str
    kind: str


def network_mount(folder: Path) -> Mount | None:
    """The network file system that holds a folder; None where it is local, or where nobody can tell."""
    try:
        told = MOUNTS.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None
    mount = mount_of(folder, told)
    return mount if mount is not None and mount.kind in NETWORK else None


def mount_of(folder: Path, mountinfo: str) -> Mount | None:
    """The longest mount point over the folder; of several at one place the last one, which hides the others."""
    real = Path(os.path.realpath(folder))
    over = [mount for mount in map(_mount, mountinfo.splitlines()) if mount and real.is_relative_to(mount.place)]
    return max(reversed(over), key=lambda mount: len(mount.place), default=None)


def _mount(line: str) -> Mount | None:
    """`36 35 98:0 / /mnt/a\\040b rw,noatime master:1 - nfs4 host:/a rw` -> (`/mnt/a b`, `nfs4`)"""
    before, _, after = line.partition(" - ")
    places, kinds = before.split(" "), after.split(" ")
    if len(places) < 5 or not kinds[0]:
        return None
    return Mount(ESCAPED.sub(lambda found: chr(int(found[1], 8)), places[4]), kinds[0])
