"""Sends the same requests, good and bad, to Abaca and to the reference beside it, and holds the answers
against each other: status, fault, headers that matter, keys and types of the bodies. What differs must be
in differences.toml, with the reason why Abaca's answer is better."""

import argparse
import collections
import concurrent.futures
import contextlib
import functools
import json
import pathlib
import re
import sys
import tempfile
import time
import tomllib
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path += [str(ROOT / "tests/keystone"), str(ROOT / "tests/openstack_client")]

import answers  # noqa: E402
import table  # noqa: E402
from keystone_server import PASSWORD, Identity, Keystone  # noqa: E402
from reference import Reference  # noqa: E402
from service import Service  # noqa: E402
from side import Side  # noqa: E402

RESULTS = ROOT / "target/compare"
# Who is a token: user, role, project.
CALLERS = {"admin": ("admin", "admin", "admin"), "member": ("alice", "member", "tenants"),
           "reader": ("rita", "reader", "tenants"), "stranger": ("sam", "member", "strangers")}

# What the reference's driver has, see reference.py.
BACKEND = """\
[[backend]]
name = "{name}"
driver = "simulated"
availability_zone = "manila-zone-{number}"
replication_domain = "conformance"
[[backend.pools]]
name = "fake_pool_for_{upper}"
total_capacity_gb = 1230
free_capacity_gb = 1210
replication_type = "readable"
extra = {{ share_server_multiple_subnet_support = true, mount_point_name_support = true }}
"""
CONFIG = """\
[identity]
strategy = "keystone"
auth_url = "{keystone}"
password = "{password}"
[worker]
host = "compare"
"""


def main():
    options = parse()
    began = time.monotonic()
    routes, borders = table.load()
    if options.every_version:
        borders = [f"2.{minor}" for minor in range(100)]
    every = list(table.requests(routes, borders))
    refuse_dead(every)
    wanted = [request for request in every if options.case in request.name
              and any(like(each, request.route) for each in options.route)]
    if options.list:
        print(*(request.name for request in wanted), sep="\n")
        return
    with contextlib.ExitStack() as stack:
        reference, abaca = start(stack)
        print(f"both are up after {time.monotonic() - began:.0f} s; {len(wanted)} requests to each", flush=True)
        found = compare(reference, abaca, wanted, options)
    whole = options.route == ["*"] and not options.case
    unlisted, gone, listed = judge(found, whole)
    for title, lines in (("differences that are not listed", unlisted), ("listed, and gone", gone)):
        if lines:
            print(f"\n{title}:", *lines, sep="\n  ")
    print(f"\n{len(wanted)} requests in {time.monotonic() - began:.0f} s: {len(found)} differences, "
          f"{listed} of them listed, {len(unlisted)} not; {len(gone)} listed and gone")
    sys.exit(1 if unlisted or gone else 0)


def parse():
    parser = argparse.ArgumentParser(
        prog="tests/conformance/compare/run", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="The routes are those of router.rs; routes.toml has their bodies and queries. The last run's\n"
               "differences are in target/compare/differences.txt, with both answers.")
    parser.add_argument("route", nargs="*", default=["*"], help='only these, as "GET /shares*"')
    parser.add_argument("--case", default="", help="only requests whose name has this text")
    parser.add_argument("--every-version", action="store_true", help="good GETs at 2.0 to 2.99, not at some")
    parser.add_argument("--list", action="store_true", help="print the requests and send none")
    return parser.parse_args()


def start(stack):
    """Keystone, and both services with the same resources."""
    directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="abaca-compare.")))
    keystone = Keystone(directory / "keystone")
    keystone.prepare()
    stack.callback(keystone.kill)
    keystone.start()
    identity = Identity(keystone)
    projects = {}
    for user, role, project in (("abaca", "service", "service"), ("manila", "service", "service"),
                                ("manila", "admin", "service"), *CALLERS.values()):
        identity.user(user) if user != "admin" else None
        projects[project] = identity.project(project)
        identity.grant(user, role, project)
    tokens = {name: identity.log_in(user, project) for name, (user, _, project) in CALLERS.items()}
    of = {name: projects[project] for name, (_, _, project) in CALLERS.items()}
    config = CONFIG.format(keystone=keystone.url, password=PASSWORD)
    for number, name in enumerate(("alpha", "beta")):
        config += BACKEND.format(name=name, upper=name.upper(), number=number)
    (directory / "abaca.toml").write_text(config)
    service = Service(arguments=("--config", str(directory / "abaca.toml")))
    RESULTS.mkdir(parents=True, exist_ok=True)
    reference = Reference(directory, keystone.url)
    stack.callback(keep, reference.log, "reference.log")
    stack.callback(keep, service.output, "abaca.log")
    stack.enter_context(service)
    stack.enter_context(reference)
    sides = [Side("the reference", reference.endpoint, tokens, of), Side("Abaca", service.endpoint, tokens, of)]
    both(lambda side: side.prepare(), sides)
    return sides


def keep(log, name):
    if log.exists():
        (RESULTS / name).write_bytes(log.read_bytes())


def both(call, sides):
    """For both at once."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(call, sides))


def compare(reference, abaca, wanted, options):
    """The differences: name of the request, what differs."""
    found = []
    sides = (reference, abaca)
    with open(RESULTS / "differences.txt", "w") as log:
        for number, request in enumerate(wanted, 1):
            for what, texts in exchange(sides, request):
                found.append((request.name, what))
                print(request.name, what, *texts, sep="\n    ", file=log, flush=True)
            if number % 500 == 0:
                print(f"{number} of {len(wanted)} compared, {len(found)} differences", flush=True)
    return found


def exchange(sides, request):
    """Sends one request to both and waits until what it began has ended: what differs, with both texts."""
    unique, texts = uuid.uuid4().hex, []
    try:
        answered = both(lambda side: send(side, request, unique), sides)
        texts = [each.text[:600] for each in answered]
        found = answers.differences(*answered)
        if request.method not in ("GET", "HEAD") and min(each.status for each in answered) < 300:
            both(lambda pair: pair[0].after_change(request, pair[1]), zip(sides, answered))
    except AssertionError as error:
        found = [f"stuck: {error}"]
    return [(what, texts) for what in found]


def send(side, request, unique):
    names = {**side.take(request.fresh), "unique": unique}

    def fill(text):
        return table.NAME.sub(lambda m: names[m[1]], text)

    body = None if request.body is None else json.loads(fill(json.dumps(request.body)))
    headers = {"X-OpenStack-Manila-API-Experimental": "True"} if request.experimental else {}
    if request.raw is not None:
        headers["Content-Type"] = "application/json"
    return side.send(request.method, fill(request.path), body, request.version, request.who, headers, request.raw)


def known_differences():
    return tomllib.loads((HERE / "differences.toml").read_text()).get("difference", [])


def refuse_dead(every):
    """Ends it if a difference is listed of a request that is never sent."""
    names = [request.name for request in every]
    dead = [pattern for each in known_differences() for pattern in each["requests"]
            if not any(like(pattern, name) for name in names)]
    if dead:
        raise SystemExit("differences.toml has requests that there are none of:\n  " + "\n  ".join(dead))


def judge(found, whole):
    """What is not listed, what is listed and gone (of a whole run), how many are listed."""
    listed = known_differences()
    used, unlisted, count = collections.Counter(), [], 0
    for name, what in found:
        matches = [(index, pair) for index, each in enumerate(listed) for pair in pairs(each)
                   if like(pair[0], name) and like(pair[1], what)]
        used.update(matches)
        if matches:
            count += 1
        else:
            unlisted.append(f"{name}: {what}")
    gone = [f"{pair[0]}: {pair[1]}" for index, each in enumerate(listed) for pair in pairs(each)
            if whole and not used[index, pair] and not each.get("sometimes")]
    return unlisted, gone, count


def like(pattern, text):
    """Whether the text is as the pattern, in which `*` stands for anything."""
    return compiled(pattern).fullmatch(text) is not None


@functools.cache
def compiled(pattern):
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def pairs(entry):
    return [(request, what) for request in entry["requests"] for what in entry["what"]]


if __name__ == "__main__":
    main()
