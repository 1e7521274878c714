"""Programs under tcpserver, xinetd and systemd, all three in one container.

What stands beside this system in the container is laid below a directory, the
stage, before the container boots.
"""

import os
import re

import container
import servers

NAMES = ('tcpserver', 'xinetd', 'systemd')

TREE = '/srv/http'
HTTPD = '/usr/sbin/httpd'

UNITS = os.path.join(container.TOP, 'units')

XINETD_DEFAULTS = '''defaults
{
	cps = 10000 1
	instances = UNLIMITED
	per_source = UNLIMITED
}
'''


def read_unit(name):
    with open(os.path.join(UNITS, name), encoding='utf-8') as file:
        return file.read()


def xinetd_service(port, words):
    return f'''service port-{port}
{{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	bind = {servers.ADDRESS}
	port = {port}
	wait = no
	user = root
	server = {words[0]}
	{'server_args = ' + ' '.join(words[1:]) if words[1:] else ''}
}}
'''


def empty_unit(words):
    return (f'[Service]\nExecStart={" ".join(words)}\n'
            'StandardInput=socket\nStandardError=journal\n')


class Spawners:
    """All three, each with a port for each program: ports[spawner][name].
    Besides httpd there are those of `peers`.  The tree that they serve is
    TREE, which is the measure's to lay below the stage.
    """

    def __init__(self, bench, stage, peers=()):
        self.bench = bench
        self.stage = stage
        self.ports = {spawner: {} for spawner in NAMES}
        self.commands = []
        self.next_port = 9000
        self.services = [XINETD_DEFAULTS]
        container.lay(stage, bench.unpacked)
        container.lay(stage, bench.httpd, HTTPD)
        container.lay(stage, os.path.join(UNITS, 'httpd.sysusers'),
                      '/usr/lib/sysusers.d/httpd.conf')
        words = [HTTPD, '--user=httpd', TREE]
        self.add_tcpserver('httpd', words)
        self.add_xinetd('httpd', words)
        self.add_unit('httpd', read_unit('httpd@.service'))
        self.add_unit('httpd-empty', empty_unit(words))
        for name in peers:
            words = self.lay_peer(name)
            self.add_tcpserver(name, words)
            self.add_xinetd(name, words)
            self.add_unit(name, empty_unit(words))
        self.start_xinetd()

    def lay_peer(self, name):
        """The words of a program; what they name is laid below the stage."""
        words = servers.command(self.bench, name, TREE)
        for word in words:
            if (word.startswith(self.bench.build + '/') and
                    not word.startswith(self.bench.unpacked + '/') and
                    os.path.isfile(word)):
                container.lay(self.stage, word)
        return words

    def port(self, spawner, name):
        self.next_port += 1
        self.ports[spawner][name] = self.next_port
        return self.next_port

    def add_tcpserver(self, name, words):
        port = str(self.port('tcpserver', name))
        self.commands.append([
            'systemd-run', '--quiet', f'--unit=tcpserver-{port}',
            f'--property=StandardError=append:/run/{port}.log',
            'tcpserver', '-HR', '-l0', '-c', '1000', servers.ADDRESS, port,
            *words])

    def add_xinetd(self, name, words):
        self.services.append(xinetd_service(self.port('xinetd', name), words))

    def start_xinetd(self):
        conf = '/etc/bench.xinetd'
        container.write(self.stage, conf, ''.join(self.services))
        self.commands.append([
            'systemd-run', '--quiet', '--unit=xinetd',
            *servers.with_libraries(
                self.bench.unpacked + '/usr/sbin/xinetd',
                self.bench.unpacked),
            '-dontfork', '-f', conf, '-pidfile', '/run/xinetd.pid',
            '-filelog', '/run/xinetd.log'])

    def add_unit(self, name, unit):
        port = self.port('systemd', name)
        directory = '/usr/lib/systemd/system/'
        container.write(self.stage, f'{directory}{port}@.service', unit)
        container.write(
            self.stage, f'{directory}{port}.socket',
            re.sub('^ListenStream=.*', f'ListenStream={servers.ADDRESS}:{port}',
                   read_unit('httpd@.socket'), flags=re.MULTILINE))
        self.commands.append(['systemctl', 'start', f'{port}.socket'])

    def start(self, box):
        """Starts all in the container; this process is in its network."""
        box.inside('systemd-sysusers')
        for words in self.commands:
            box.inside(*words)
        wanted = {port for ports in self.ports.values()
                  for port in ports.values()}

        def listen():
            return wanted <= set(map(int, re.findall(
                r':(\d+) ', self.bench.run(['ss', '-Hltn']))))

        if not servers.wait_until(listen, servers.LISTEN_S):
            raise servers.Broken('not every spawner listens; the journal '
                                 'says: ' + box.inside(
                                     'journalctl', '--no-pager', '-n', '20'))
