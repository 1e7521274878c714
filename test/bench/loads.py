"""Loads on a server, and what they cost it and themselves.

Each returns a dictionary: "rate", requests/s; "cpu", microseconds of the
server's CPU for each; "client-cpu", those of the load generator; and, of
ask(), the latencies "p50" "p90" "p99" "p99.9" "max" in microseconds.
"""

import os
import re
import resource
import subprocess

import servers

LATENCIES = ('p50', 'p90', 'p99', 'p99.9', 'max')


def cpus():
    """Two CPUs of those that this process may use; twice the one, if there is
    only one.
    """
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1 % len(usable)]


def ask(bench, server, target, seconds, connections=1, depth=1, kept=False,
        status=200, field=None, pin=None):
    """The load of ask.c.  With `pin`, a pair of CPUs, the client is kept on
    the first and the server on the second.
    """
    words = [bench.tool('ask', 'measure.c'), '-c', str(connections), '-m',
             str(max(1, round(seconds * 1000))), '-s', str(status), '-t',
             target]
    words += ['-k', '-d', str(depth)] if kept else []
    words += ['-f', bench.root + target] if status == 200 else []
    words += ['-H', field] if field else []
    everywhere = os.sched_getaffinity(0)
    server.pin({pin[1]} if pin else everywhere)
    # In a session of its own: what interrupts the bench would end it, and so
    # all of its connections and their handlers at once.
    client = subprocess.Popen(
        [*words, server.address, str(server.port)], text=True,
        start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    if pin:
        os.sched_setaffinity(client.pid, {pin[0]})
    with client:
        ready = client.stdout.readline()
        before = server.cpu_ns()
        try:
            print(file=client.stdin, flush=True)
        except BrokenPipeError:
            pass
        result = dict(word.split('=')
                      for word in client.stdout.readline().split())
        used = server.cpu_ns() - before
        client.stdin.close()
        said = client.stderr.read().strip()
    if ready != 'ready\n' or client.returncode != 0:
        raise servers.Broken(f'{server.name}, asked for {target}: {said}')
    values = {name: float(value) for name, value in result.items()}
    values['rate'] = values['answers'] / values['seconds']
    values['cpu'] = used / 1e3 / values['answers']
    return values


def generator(server, words, answered, failed=None):
    """A load generator of others: `answered` finds the number of requests and
    the seconds in what it says, `failed` how many were not answered well.
    """
    server.pin(os.sched_getaffinity(0))
    before = server.cpu_ns()
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    used = server.cpu_ns() - before
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    count = re.search(answered[0], done.stdout)
    seconds = re.search(answered[1], done.stdout)
    wrong = failed and re.search(failed, done.stdout)
    if (done.returncode != 0 or not count or not seconds or not int(count[1])
            or (wrong and int(wrong[1]))):
        raise servers.Broken(f'{words[0]} on {server.name}: '
                             f'{done.stderr.strip() or done.stdout}')
    count = int(count[1])
    own_us = (after.ru_utime + after.ru_stime - own.ru_utime
              - own.ru_stime) * 1e6
    unit = {'ms': 1e-3, 'us': 1e-6}.get(''.join(seconds.groups('')[1:]), 1)
    return {'rate': count / (float(seconds[1]) * unit),
            'cpu': used / 1e3 / count, 'client-cpu': own_us / count}


def wrk(server, target, seconds, connections):
    """One thread, kept connections.  It closes them all at once, and knows
    whole seconds only.
    """
    return generator(server, [
        'wrk', '-t1', f'-c{connections}', f'-d{max(1, round(seconds))}s',
        f'http://{server.address}:{server.port}{target}'],
        (r'(\d+) requests in', r'requests in ([\d.]+)(m?s|us)'),
        r'Non-2xx or 3xx responses: (\d+)')


def h2load(server, target, requests, depth):
    """One connection of HTTP/1.1, on which `depth` requests are under way."""
    return generator(server, [
        'h2load', '--h1', '-t1', '-c1', f'-m{depth}', f'-n{requests}',
        f'http://{server.address}:{server.port}{target}'],
        (r'(\d+) succeeded', r'finished in ([\d.]+)(m?s|us)?'),
        r'(\d+) failed')


def ab(server, target, requests, clients):
    """A connection of HTTP/1.0 for each request."""
    return generator(server, [
        'ab', '-q', '-n', str(requests), '-c', str(clients),
        f'http://{server.address}:{server.port}{target}'],
        (r'Complete requests: +(\d+)', r'Time taken for tests: +([\d.]+)'),
        r'Failed requests: +(\d+)')
