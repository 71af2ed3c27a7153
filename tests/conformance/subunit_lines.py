"""Reads a subunit stream; writes `pass|fail|skip NAME` lines, and the failures' texts to a file.
Run by the Python of tempest's environment."""

import sys

import subunit
from testtools import StreamToDict

STATES = {"success": "pass", "fail": "fail", "skip": "skip", "xfail": "pass", "uxsuccess": "fail"}


def main(path):
    results, texts = {}, {}

    def keep(test):
        name, state = test["id"], STATES.get(test["status"], test["status"])
        if results.get(name) != "fail":
            results[name] = state
        details = test.get("details", {})
        if state == "fail":
            texts[name] = "\n".join(
                f"--- {key}\n{detail.as_text()}" for key, detail in sorted(details.items()))

    decoder = StreamToDict(keep)
    decoder.startTestRun()
    subunit.ByteStreamToStreamResult(sys.stdin.buffer).run(decoder)
    decoder.stopTestRun()
    for name in sorted(results):
        print(results[name], name)
    with open(path, "w") as out:
        for name in sorted(texts):
            out.write(f"=== {name}\n{texts[name]}\n")


main(sys.argv[1])
