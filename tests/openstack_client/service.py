"""Abaca, started fresh for a test: its own data directory, its own free port, gone at the end."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ABACA_TEST_BINARY", str(ROOT / "target" / "release" / "abaca"))
START_SECONDS = 30
STOP_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """`abaca serve`, without a config file unless there is its text or `arguments` name one. Use it in
    a `with`; `stop` and `start` restart it. `variables` are set in its environment."""

    def __init__(self, variables=(), arguments=(), config=""):
        self.variables = dict(variables)
        self.arguments = list(arguments)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="abaca-client-test."))
        if config:
            path = self.directory / "abaca.toml"
            path.write_text(config)
            self.arguments += ["--config", str(path)]
        self.data = self.directory / "data"
        self.output = self.directory / "output.log"
        self.address = f"127.0.0.1:{free_port()}"
        self.endpoint = f"http://{self.address}/v2"
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        """Starts the process and waits until it says that it is healthy."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ABACA__", "OS_"))}
        environment.update(self.variables)
        command = [BINARY, "serve", "--data-dir", str(self.data), "--listen", self.address,
                   *self.arguments]
        with open(self.output, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, env=environment,
            )
        self._wait(self._healthy, START_SECONDS, "healthy")

    def stop(self):
        """Asks it to end, as an operator does (SIGTERM), and gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_SECONDS)

    def kill(self):
        """Ends it without a warning."""
        self.process.kill()
        self.process.wait()

    def wait_for_output(self, text):
        """Waits until it has printed the text, and gives all that it printed."""
        self._wait(lambda: text in self.printed(), START_SECONDS, f"printed: {text}")
        return self.printed()

    def printed(self):
        """All that it printed and logged so far, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.output.read_text(errors="replace"))

    def _healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{self.printed()}")
        try:
            with urllib.request.urlopen(f"http://{self.address}/healthcheck", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _wait(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not yet {what} after {seconds} s:\n{self.printed()}")
            time.sleep(0.02)
