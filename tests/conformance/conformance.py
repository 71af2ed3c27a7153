"""The public test suite of the Shared File Systems API against Abaca with a real Keystone."""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "keystone"), str(HERE.parent / "openstack_client")]

import cloud  # noqa: E402
import lists  # noqa: E402
import tempest_run  # noqa: E402

EPILOG = """\
Without REGEX it runs the modules of modules.txt and holds the result against two lists:
  expected.txt        the tests that must pass
  not-expected.txt    tests that need not, each with the reason
A test that passes and is not in expected.txt, one that is there and does not pass, and one
that fails and is in neither fail the run. With REGEX only those tests are looked at.

  tests/conformance/run
  tests/conformance/run 'api.admin.test_share_snapshot_instances'
  tests/conformance/run --keep --concurrency 1 'test_shares\\.'

Environment: ABACA_TEST_BINARY (else the debug build is made), ABACA_TEST_POSTGRES_URL (else a
server is started), ABACA_TEST_TOOLS_DIR (where Keystone and tempest are installed).
"""


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/conformance/run", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("regex", nargs="*", help="tests to run, by a part of their names")
    parser.add_argument("--concurrency", type=int, default=4, help="tests at once (default 4)")
    parser.add_argument("--results", type=pathlib.Path, default=HERE.parents[1] / "target/conformance",
                        help="where result lines and logs are left (default target/conformance)")
    parser.add_argument("--list", action="store_true", help="only name the tests that would run")
    parser.add_argument("--keep", action="store_true",
                        help="leave everything running at the end until Enter is pressed")
    parser.add_argument("--record", action="store_true",
                        help="write expected.txt anew from this run, for review")
    return parser.parse_args()


def main():
    options = arguments()
    results = options.results
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    patterns = options.regex or lists.modules()
    regex = r"manila_tempest_tests\.tests\.(?:.*\.)?(?:" + "|".join(patterns) + ")"
    work = pathlib.Path(tempfile.mkdtemp(prefix="abaca-conformance."))
    began = time.monotonic()
    try:
        with cloud.Cloud(work, results) as running:
            print(f"    Keystone {running.keystone.url}, Abaca {running.endpoint} "
                  f"after {time.monotonic() - began:.0f} s", flush=True)
            tempest = tempest_run.Tempest(work, results, running)
            selected = tempest.list(regex)
            if options.list:
                print("\n".join(selected))
                return 0
            began = time.monotonic()
            outcome = tempest.run(regex, options.concurrency, selected)
            took = time.monotonic() - began
            if options.keep:
                input("    Enter ends it: ")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lists.write(results / "results.txt", outcome)
    if options.record:
        lists.record(outcome)
    counts = {state: sum(1 for other in outcome.values() if other == state)
              for state in sorted(set(outcome.values()))}
    print(f"    {len(selected)} tests in {took:.0f} s: "
          + ", ".join(f"{count} {state}" for state, count in counts.items()))
    print(f"    result lines: {results / 'results.txt'}; failures: {results / 'failures.log'}")
    complaints = lists.compare(outcome)
    for complaint in complaints:
        print(f"    {complaint}")
    print(f"    {len(complaints)} against the lists" if complaints else "    as the lists say")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
