"""Tempest: its configuration, its runs, and what came out of them."""

import os
import pathlib
import re
import subprocess

from keystone_server import PASSWORD, ROOT

HERE = pathlib.Path(__file__).resolve().parent
VENV = pathlib.Path(os.environ.get("ABACA_TEST_TEMPEST", ROOT / "target/test-tools/tempest"))


class Tempest:
    """A tempest workspace for one running cloud."""

    def __init__(self, work, results, cloud):
        self.directory = work / "tempest"
        self.results = results
        self.environment = dict(os.environ, PATH=f"{VENV / 'bin'}:{os.environ['PATH']}")
        (self.directory / "etc").mkdir(parents=True)
        (self.directory / "lock").mkdir()
        package = self._python("import os, tempest; print(os.path.dirname(tempest.__file__))").strip()
        top = os.path.dirname(package)
        (self.directory / ".stestr.conf").write_text(
            f"[DEFAULT]\ntest_path={package}/test_discover\ntop_dir={top}\n"
            "group_regex=([^\\.]*\\.)*\n")
        template = (HERE / "tempest.conf.in").read_text()
        for name, value in (("DIRECTORY", self.directory), ("PASSWORD", PASSWORD),
                            ("KEYSTONE", cloud.keystone.url)):
            template = template.replace(f"@{name}@", str(value))
        (self.directory / "etc/tempest.conf").write_text(template)
        self._call(["stestr", "init"])

    def list(self, regex):
        """The names of the tests that match, without their attributes."""
        printed = self._call(["tempest", "run", "--config-file", "etc/tempest.conf", "--list-tests",
                              "--regex", regex])
        names = (bare(line.strip()) for line in printed.splitlines())
        selected = sorted({name for name in names if name.startswith("manila_tempest_tests.")})
        if not selected:
            raise SystemExit(f"no test matches {regex}\n{printed[-2000:]}")
        return selected

    def run(self, regex, concurrency, selected):
        """Runs the tests; each one's name -> pass, fail or skip."""
        command = ["tempest", "run", "--config-file", "etc/tempest.conf", "--regex", regex,
                   "--concurrency", str(concurrency)]
        with open(self.results / "tempest.out", "wb") as out:
            subprocess.run(command, stdout=out, stderr=out, cwd=self.directory,
                           env=self.environment, check=False)
        subunit = subprocess.run(["stestr", "last", "--subunit"], cwd=self.directory,
                                 env=self.environment, capture_output=True, check=False).stdout
        lines = subprocess.run(
            [VENV / "bin/python", HERE / "subunit_lines.py", self.results / "failures.log"],
            input=subunit, capture_output=True, check=True).stdout.decode()
        log = self.directory / "tempest.log"
        if log.exists():
            os.replace(log, self.results / "tempest.log")
        return spread([line.split(" ", 1) for line in lines.splitlines()], selected)

    def _python(self, code):
        return self._call([str(VENV / "bin/python"), "-c", code])

    def _call(self, command):
        done = subprocess.run(command, cwd=self.directory, env=self.environment, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def bare(name):
    """A test's name without the attributes behind it."""
    return name.split("[", 1)[0]


def spread(lines, selected):
    """Results by test. What befell a whole class before its tests befell each of them. What befell it
    after them is told only: tempest deletes a few of its own projects twice."""
    outcome, fixtures = {}, {}
    for state, name in lines:
        before = re.match(r"setUpClass \((.*)\)", name)
        if before:
            fixtures[before[1]] = state
        elif name.startswith("tearDownClass"):
            print(f"    note: {state} {name}")
        else:
            outcome[bare(name)] = state
    for name in selected:
        if name not in outcome:
            outcome[name] = fixtures.get(name.rsplit(".", 1)[0], "missing")
    return outcome
