"""Trees of a test's own, and what a handler keeps open of them."""

import os
import tempfile
import time

from conversation import check


def tree():
    root = tempfile.mkdtemp(dir=os.environ["BATS_TEST_TMPDIR"])
    os.chmod(root, 0o755)
    return root


def write(root, name, text, mode="w"):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode) as file:
        file.write(text)
    return path


def settle(root):
    """Waits until the last change of a tree is a second old."""
    last = max(os.lstat(os.path.join(directory, name)).st_ctime
               for directory, _, names in os.walk(root)
               for name in [".", *names])
    while time.time() < last + 1.02:
        time.sleep(0.02)


def kept(handler, root):
    """The names beneath root that a handler has open."""
    fds = f"/proc/{handler.process.pid}/fd"
    paths = [os.readlink(f"{fds}/{fd}") for fd in os.listdir(fds)]
    return sorted(path[len(root) + 1:] for path in paths
                  if path.startswith(root + "/"))


def check_kept(handler, root, what, wanted):
    """What is open once a handler is done with an answer that has arrived."""
    end = time.monotonic() + 10
    while kept(handler, root) != wanted and time.monotonic() < end:
        time.sleep(0.01)
    check(what, kept(handler, root), wanted)
