# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages of any suite, by name, through an apt that has its own state and cache.

The mirror is the machine's own, read from its apt configuration; indexes are checked against
Debian's archive keyring, packages against the indexes. Nothing of the machine's apt is changed.
"""

import os
import pathlib
import re
import subprocess
import time

from .common import Failure, cache_dir, run, tool

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TRIES = 3


def mirrors():
    """(archive, security): the machine's own mirrors of Debian; security may be None."""
    archive = os.environ.get("KEYTRAIL_MIRROR")
    security = os.environ.get("KEYTRAIL_SECURITY_MIRROR")
    if archive:
        return archive, security
    lines = run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(SIGNED_BY)",
                 "Created-By: Packages"]).splitlines()
    suites = r"(?:bullseye|bookworm|trixie|forky|(?:old){0,2}stable|testing|sid|unstable)"
    for line in lines:
        site, release = line.split()[:2]
        if not re.match(r"(https?|file|mirror\+\S+?):", site):
            continue
        if re.fullmatch(suites + "-security", release):
            security = security or site
        elif re.fullmatch(suites, release):
            archive = archive or site
    if not archive:
        raise Failure("no mirror of Debian in this machine's apt configuration; "
                      "set KEYTRAIL_MIRROR (and KEYTRAIL_SECURITY_MIRROR)", 69)
    return archive, security


def sources(suites):
    """The lines of a sources.list for these suites; a -security suite has a mirror of its own."""
    archive, security = mirrors()
    out = []
    for suite in suites:
        site = security if suite.endswith("-security") else archive
        if site:
            out.append(f"deb [signed-by={KEYRING}] {site} {suite} main")
    return out


class Apt:
    """An apt of its own for some suites; its indexes stay in the cache between runs."""

    def __init__(self, suites):
        if not os.path.exists(KEYRING):
            raise Failure(f"{KEYRING} is missing (package debian-archive-keyring)", 69)
        self.suites = suites
        self.dir = cache_dir() / "apt" / suites[0]
        for part in ("state/lists/partial", "cache/archives/partial", "etc"):
            (self.dir / part).mkdir(parents=True, exist_ok=True)
        (self.dir / "etc/sources.list").write_text("\n".join(sources(suites)) + "\n")
        self.conf = self.dir / "etc/apt.conf"
        self.conf.write_text(f'''Dir::State "{self.dir}/state";
Dir::State::status "/dev/null";
Dir::Cache "{self.dir}/cache";
Dir::Etc::SourceList "{self.dir}/etc/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
DPkg::Post-Invoke {{}};
APT::Update::Post-Invoke {{}};
APT::Update::Post-Invoke-Success {{}};
#clear DPkg::Post-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
''')

    # Whether a mirror answered nothing before: then the next suite is not asked for so long.
    given_up = False

    def update(self):
        """Brings the indexes up to date. Returns what apt complained of, '' when all is well."""
        words = ""
        tries = 1 if Apt.given_up else TRIES
        for attempt in range(tries):
            done = subprocess.run(
                [tool("apt-get"), "-c", str(self.conf), "-q", "update"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, env=dict(os.environ, LC_ALL="C.UTF-8"), check=False)
            bad = [l for l in done.stdout.splitlines() if l.startswith(("W:", "E:", "Err:"))]
            if done.returncode == 0 and not bad:
                return ""
            words = "; ".join(bad[:3]) or f"apt-get update: exit {done.returncode}"
            if attempt + 1 < tries:
                time.sleep(2 * (attempt + 1))
        Apt.given_up = True
        return words

    def names(self, pattern):
        """Package names that match a regular expression."""
        out = run(["apt-cache", "-c", self.conf, "search", "--names-only", pattern])
        return sorted(line.split(" ", 1)[0] for line in out.splitlines() if line)

    def depends(self, name):
        """Names of the packages that this one cannot do without."""
        out = run(["apt-cache", "-c", self.conf, "depends", name])
        return re.findall(r"^\s*\|?(?:Pre)?Depends: (\S+)", out, re.M)

    def version(self, name):
        """The version that would be fetched."""
        out = run(["apt-cache", "-c", self.conf, "show", "--no-all-versions", name])
        found = re.search(r"^Version: (\S+)", out, re.M)
        if not found:
            raise Failure(f"{name}: no version in the index")
        return found.group(1)

    def download(self, names, into):
        """Fetches packages into a directory, checked by apt. Returns their paths."""
        into = pathlib.Path(into)
        for attempt in range(TRIES):
            try:
                run(["apt-get", "-c", self.conf, "-q", "download", *names], cwd=into)
                break
            except Failure:
                if attempt + 1 == TRIES:
                    raise
                time.sleep(2 * (attempt + 1))
        return sorted(into.glob("*.deb"))
