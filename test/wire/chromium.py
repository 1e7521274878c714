"""Chromium without a screen, spoken to by the DevTools protocol on a pipe."""

import json
import os

import hosts

# It talks to nobody but the server, and leaves nothing behind.
OPTIONS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-default-apps',
    '--no-proxy-server',
]


class Browser:
    def __init__(self, start, command, profile, log):
        """`start` starts a process, `command` what runs one on the host."""
        read_commands, self.commands = os.pipe()
        self.answers, write_answers = os.pipe()
        script = f'exec "$@" 3<&{read_commands} 4>&{write_answers}'
        with open(log, 'wb') as file:
            self.process = start(
                command(['bash', '-c', script, '-', 'chromium', *OPTIONS,
                         '--remote-debugging-pipe',
                         '--user-data-dir=' + profile]),
                stdout=file, stderr=file,
                pass_fds=(read_commands, write_answers))
        os.close(read_commands)
        os.close(write_answers)
        self.buffer = b''
        self.number = 0
        self.session = None

    def receive(self):
        while b'\0' not in self.buffer:
            more = os.read(self.answers, 65536)
            if not more:
                raise hosts.Failure('the browser is gone')
            self.buffer += more
        message, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(message)

    def ask(self, method, **params):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': params}
        if self.session:
            message['sessionId'] = self.session
        os.write(self.commands, json.dumps(message).encode() + b'\0')
        while (answer := self.receive()).get('id') != self.number:
            pass
        if 'error' in answer:
            raise hosts.Failure(f'{method}: {answer["error"]["message"]}')
        return answer['result']

    def open(self, url):
        """Loads a page, pictures included."""
        target = self.ask('Target.createTarget', url='about:blank')
        self.session = self.ask('Target.attachToTarget', flatten=True,
                                targetId=target['targetId'])['sessionId']
        self.ask('Page.enable')
        self.ask('Page.navigate', url=url)
        while self.receive().get('method') != 'Page.loadEventFired':
            pass

    def close(self):
        self.session = None
        self.ask('Browser.close')
        self.process.wait(hosts.PATIENCE_S)
        os.close(self.commands)
        os.close(self.answers)
