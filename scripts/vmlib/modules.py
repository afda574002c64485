# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel modules that a guest gets: one list, with what those need, as a piece of initramfs."""

import lzma
import re
import shutil

from . import cpio
from .common import digest, locked, run, say, scratch, tool

# Loaded before init goes on: the way to the host, and the Debian guest's disk.
EARLY = ["virtio_pci", "virtio_console", "virtio_rng", "virtio_blk", "ext4"]
# There to be loaded on demand.
WANTED = EARLY + [
    "virtio_net", "net_failover", "overlay", "btrfs", "xfs", "loop", "fuse", "virtiofs", "9p",
    "9pnet_virtio", "squashfs", "erofs", "vfat", "nls_ascii", "nls_cp437", "isofs", "nfs", "nfsv4", "nfsd",
    "autofs4", "configfs", "binfmt_misc", "dm_mod", "dm_crypt", "veth", "dummy", "tun", "bridge",
    "vsock", "vmw_vsock_virtio_transport", "unix_diag", "inet_diag", "tcp_diag", "crc32c_generic",
    "crc32c_cryptoapi", "crc32c_intel", "fscrypto", "tls", "af_alg", "algif_hash", "kheaders",
    "sd_mod", "scsi_debug", "sctp",
]


def initramfs(kernel):
    """Path of a cpio with lib/modules/<release> for this kernel; made once per kernel and list."""
    stamp = digest("2", *WANTED, *EARLY)
    place = kernel.dir / f"modules-{stamp}.cpio"
    with locked("modules"):
        if not place.exists():
            make(kernel, place)
    return place


def name_of(path):
    """crc32c-intel.ko.xz -> crc32c_intel"""
    return re.sub(r"\.ko(\.\w+)?$", "", path.name).replace("-", "_")


def make(kernel, place):
    """Picks the modules out of the kernel's packages, unpacked and with fresh indexes."""
    tool("depmod")
    with scratch() as tmp:
        for deb in kernel.debs:
            run(["dpkg-deb", "-x", deb, tmp / "deb"])
        trees = [t for t in (tmp / "deb/lib/modules" / kernel.release,
                             tmp / "deb/usr/lib/modules" / kernel.release) if t.is_dir()]
        there = {name_of(p): p for t in trees for p in t.rglob("*.ko*")}
        out = tmp / "out/lib/modules" / kernel.release
        (out / "kernel").mkdir(parents=True)
        todo, done = [n for n in WANTED if n in there], set()
        while todo:
            name = todo.pop()
            if name in done or name not in there:
                continue
            done.add(name)
            data = there[name].read_bytes()
            if there[name].suffix == ".xz":
                data = lzma.decompress(data)
            (out / "kernel" / f"{name}.ko").write_bytes(data)
            for field in (rb"depends", rb"softdep"):
                for value in re.findall(rb"\0" + field + rb"=([^\0]*)\0", b"\0" + data):
                    words = re.sub(rb"(pre|post):", b" ", value).replace(b",", b" ").split()
                    todo += [w.decode().replace("-", "_") for w in words]
        for tree in trees:
            for index in tree.glob("modules.builtin*"):
                shutil.copy(index, out)
        if not done:
            say(f"{kernel.release}: its packages have no modules; only what is built in is there")
        run(["depmod", "-b", tmp / "out", kernel.release])
        with cpio.Archive(tmp / "modules.cpio") as archive:
            archive.add_tree("lib", tmp / "out/lib")
        for old in kernel.dir.glob("modules-*.cpio"):
            old.unlink()
        (tmp / "modules.cpio").rename(place)
