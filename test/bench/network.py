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

# Linux' own default, and what every kernel has.
CONGESTION_CONTROLS = ('cubic', 'reno')

IPV4 = '/proc/sys/net/ipv4'


def call(name, *arguments):
    """A system call that Python does not have before 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def own():
    """All that is started while it is entered is in a network namespace with
    nothing but a loopback interface.
    """
    before = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    try:
        call('unshare', CLONE_NEWNET)
    except OSError as error:
        os.close(before)
        raise servers.Broken('there cannot be a network of its own: '
                             f'{error.strerror}') from error
    try:
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        with open(f'{IPV4}/tcp_available_congestion_control',
                  encoding='utf-8') as file:
            available = file.read().split()
        with open(f'{IPV4}/tcp_congestion_control', 'w',
                  encoding='utf-8') as file:
            file.write(next(name for name in CONGESTION_CONTROLS
                            if name in available))
        yield
    finally:
        call('setns', before, CLONE_NEWNET)
        os.close(before)
