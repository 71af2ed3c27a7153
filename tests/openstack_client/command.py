"""The `openstack` command in a fork of this process, which has imported it once: a sixth of the time of
a process of its own, of which most is imports. Run by the Python that has python-openstackclient."""

import os
import signal
import subprocess
import sys
import tempfile

import openstackclient.shell

# Imported here so that no fork has to. The client finds them as plugins, by their entry points.
import manilaclient.osc.plugin  # noqa: F401
import manilaclient.v2.client  # noqa: F401
import openstack.connection  # noqa: F401


def run(arguments, environment, seconds):
    """The finished command, as `subprocess.run` gives it; ended by SIGALRM after so many seconds."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _become_the_command(arguments, environment, seconds, output, errors)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(
            ["openstack", *arguments], os.waitstatus_to_exitcode(status), output.read(), errors.read()
        )


def _become_the_command(arguments, environment, seconds, output, errors):
    """What the console script does, with the environment it is given. Does not return."""
    status = 1
    try:
        signal.alarm(seconds)
        os.environ.clear()
        os.environ.update(environment)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
        sys.argv = ["openstack", *arguments]
        status = openstackclient.shell.main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)
