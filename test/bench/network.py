"""A loopback interface of one's own.

What a host sets for its network is not what is to be measured: with BBR, which
some have for all connections, TCP paces itself over loopback by timers, and a
download there is three times as fast or as slow by luck.  Nor is there anybody
else's traffic here.
"""

import contextlib
import ctypes
import os
import subprocess

import servers

CLONE_NEWNET = 0x40000000

# The first that may be chosen: Linux' own default, which some hosts keep to
# themselves, and what every kernel lets everybody have.
CONGESTION_CONTROLS = ('cubic', 'reno')

CONGESTION_CONTROL = '/proc/sys/net/ipv4/tcp_congestion_control'


def call(name, *arguments):
    """A system call that Python does not have before 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def choose_congestion_control():
    """For all connections to come in the namespace of this process; its name."""
    for name in CONGESTION_CONTROLS:
        try:
            with open(CONGESTION_CONTROL, 'w', encoding='utf-8') as file:
                file.write(name)
            return name
        except (PermissionError, FileNotFoundError):
            continue
    raise servers.Broken('none of these is to be had for TCP: '
                         + ', '.join(CONGESTION_CONTROLS))


@contextlib.contextmanager
def within(enter):
    """What is started meanwhile is in the namespace that `enter` changes to;
    the congestion control of its connections."""
    with open('/proc/thread-self/ns/net', encoding='utf-8') as before:
        try:
            try:
                enter()
            except OSError as error:
                raise servers.Broken('a network cannot be entered: '
                                     f'{error.strerror}') from error
            yield choose_congestion_control()
        finally:
            call('setns', before.fileno(), CLONE_NEWNET)


def own():
    """A namespace with nothing but a loopback interface."""
    def enter():
        call('unshare', CLONE_NEWNET)
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    return within(enter)


def of_process(pid):
    """The namespace of another process."""
    def enter():
        with open(f'/proc/{pid}/ns/net', encoding='utf-8') as file:
            call('setns', file.fileno(), CLONE_NEWNET)
    return within(enter)
