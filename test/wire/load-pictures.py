#!/usr/bin/env python3
"""load-pictures.py OUTDIR ROUNDS NAME=URL...: times a page in Chromium.

Each load has a browser of its own, so that there is neither a cache nor a
connection left of the one before.  In each round every URL has its turn, and
another one begins.  What is timed is what the browser itself notes, from the
start of the navigation to the load event.  A load where not every picture is
decoded fails.  Writes, and needs nobody else on the network:

    OUTDIR/pictures.tsv             one line for each load
    OUTDIR/pictures-resources.tsv   one line for each file of each load
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

import chromium

PICTURES = 12
ARGUMENTS = chromium.OPTIONS + [
    "--window-size=1280,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]

# Times are in milliseconds since the start of the navigation.
TIMES = """
return Promise.all([...document.images].map(image => image.decode()))
.then(() => ({
    loaded: performance.getEntriesByType("navigation")[0].loadEventStart,
    shown: [...document.images].filter(image => image.naturalWidth > 0).length,
    files: [...performance.getEntriesByType("navigation"),
            ...performance.getEntriesByType("resource")
                .filter(file => file.initiatorType == "img")].map(file => ({
        url: file.name, asked: file.startTime,
        first: file.responseStart, last: file.responseEnd,
        bytes: file.encodedBodySize }))
}))
"""


class Driver:
    """ChromeDriver, on a port of its own choice."""

    def __init__(self):
        # Browsers leave files behind.
        self.place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            ["chromedriver", "--port=0"], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, TMPDIR=self.place.name))
        said = ""
        for line in self.process.stdout:
            said += line
            port = re.search(r"successfully on port (\d+)", line)
            if port:
                self.url = f"http://127.0.0.1:{port[1]}"
                return
        sys.exit(f"chromedriver does not start: {said}")

    def does(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"the browser says: {error.read().decode()}")

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.place.cleanup()


def load(driver, url):
    """One load in a new browser: its times, and the browser's version."""
    session = driver.does("POST", "/session", {"capabilities": {
        "alwaysMatch": {
            "timeouts": {"pageLoad": 30000, "script": 30000},
            "goog:loggingPrefs": {"performance": "ALL"},
            "goog:chromeOptions": {"args": ARGUMENTS}}}})
    path = "/session/" + session["sessionId"]
    try:
        driver.does("POST", path + "/url", {"url": url})
        times = driver.does("POST", path + "/execute/sync",
                            {"script": TIMES, "args": []})
        log = driver.does("POST", path + "/se/log", {"type": "performance"})
    finally:
        driver.does("DELETE", path)
    if times["shown"] != PICTURES:
        sys.exit(f"{url}: wanted {PICTURES} pictures, got {times['shown']}")
    add_connections(times["files"], log)
    return times, session["capabilities"]["browserVersion"]


def add_connections(files, log):
    """Numbers the connections by when their first file was there."""
    by_url = {}
    for entry in log:
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.responseReceived":
            response = message["params"]["response"]
            by_url[response["url"]] = response["connectionId"]
    numbers = {}
    for file in sorted(files, key=lambda file: file["first"]):
        identity = by_url[file["url"]]
        file["connection"] = numbers.setdefault(identity, len(numbers) + 1)


def main():
    outdir, rounds = sys.argv[1], int(sys.argv[2])
    servers = [argument.split("=", 1) for argument in sys.argv[3:]]
    # The browser is to end with this program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    driver = Driver()
    try:
        # The first browser after a while is slow: the disk is at work.
        _, version = load(driver, servers[-1][1])
        with open(outdir + "/pictures.tsv", "w") as loads, \
                open(outdir + "/pictures-resources.tsv", "w") as resources:
            print("round", "server", "ms", "connections", sep="\t", file=loads)
            print("round", "server", "path", "connection", "asked_ms",
                  "first_byte_ms", "last_byte_ms", "bytes", sep="\t",
                  file=resources)
            for turn in range(rounds):
                first = turn % len(servers)
                for name, url in servers[first:] + servers[:first]:
                    times, _ = load(driver, url)
                    print(turn + 1, name, f"{times['loaded']:.1f}",
                          max(file["connection"] for file in times["files"]),
                          sep="\t", file=loads)
                    for file in times["files"]:
                        print(turn + 1, name,
                              "/" + file["url"].split("/", 3)[3],
                              file["connection"], *(f"{file[key]:.1f}" for key
                                                    in ("asked", "first",
                                                        "last")),
                              file["bytes"], sep="\t", file=resources)
    finally:
        driver.end()
    print("Chromium", version)


main()
