"""The requests to compare: every route of the service (router.rs), each with what routes.toml says of it."""

import copy
import dataclasses
import json
import pathlib
import re
import tomllib
import uuid

from side import LATEST, Side

HERE = pathlib.Path(__file__).resolve().parent
ROUTER = HERE.parents[2] / "crates/abaca/src/api/router.rs"
ROW = re.compile(
    r'^\s*(get|post|put|delete|action)\("([^"]+)",(?: "([^"]+)",)? V\((\d+), (\d+)\)\.\.'
    r'(?:=V\((\d+), (\d+)\))?,', re.MULTILINE)
NAME = re.compile(r"\$([a-z_]+)")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
BAD_IDS = {"absent": "2fa3a2ba-5d7f-4a1e-9d6c-0a8a6b8b9d0e", "malformed": "nonsense", "long": "x" * 300}
BAD_VERSIONS = ("2.200", "1.0", "3.0", "2", "two", "latest", "2.01", "")
NOT_JSON = {"no JSON": b"{", "no body": None, "a list": b"[]", "a string": b'"x"', "an empty object": b"{}",
            "null": b"null", "two documents": b"{}{}"}
# What is put where something else is expected; REMOVE takes the key away.
REMOVE = object()
WRONG = {"removed": REMOVE, "null": None, "7": 7, "-1": -1, "text": "x", "empty": "", "true": True,
         "list": [], "object": {}, "long": "y" * 300}


@dataclasses.dataclass
class Request:
    """One request to both. `{...}` of the route is in `path` already; `$name` is not."""

    route: str
    case: str
    method: str
    path: str
    body: object = None
    raw: bytes | None = None
    version: str | None = LATEST
    who: str | None = "admin"
    fresh: str | None = None
    experimental: bool = True
    prefix: str | None = None

    @property
    def name(self):
        return f"{self.route} | {self.case}"

    @property
    def names(self):
        """The `$names` in its path and body."""
        return set(NAME.findall(self.path + json.dumps(self.body)))


class Route:
    """A method and a path, with an action or without, and what the table says of it."""

    def __init__(self, method, path, action, ranges, told):
        self.method, self.path, self.action, self.ranges = method, path, action, ranges
        self.name = f"{method} {path}{f' {action}' if action else ''}"
        self.ids = {**DEFAULT_IDS.get(path.split("/")[1], {}), **told.get("ids", {})}
        self.fresh = told.get("fresh")
        self.good = [(each, json.loads(each)) for each in told.get("good", [])]
        self.bad = told.get("bad", [])
        self.queries = told.get("queries", [])
        self.others = told.get("others", [])
        self.lowest, self.highest = ranges[0][0], ranges[-1][1] or LATEST

    def filled(self, **other):
        """The path with `$names` for its placeholders, or what is given instead."""
        return re.sub(r"\{(\w+)\}", lambda m: other.get(m[1]) or self.ids[m[1]], self.path)

    @property
    def is_plain(self):
        """Stands for the others, too, where the router and not the handler answers."""
        return self.method == "GET" and self.lowest == "2.0" and self.path.count("/") < 3

    @property
    def is_old(self):
        """Goes on under another name, which is tried with everything."""
        return "/os-" in self.path or (self.action or "").startswith("os-")

    @property
    def placeholders(self):
        return re.findall(r"\{(\w+)\}", self.path)


def load():
    """All routes in the router's order, and the versions at which good requests are sent. What is in one
    of the two files only is an error, as is a resource that side.py does not make."""
    text = ROUTER.read_text()
    told = tomllib.loads((HERE / "routes.toml").read_text())
    borders = told.pop("versions")
    DEFAULT_IDS.update(told.pop("ids"))
    rows = {}
    for kind, path, action, major, minor, last_major, last_minor in ROW.findall(text):
        method = "POST" if kind == "action" else kind.upper()
        last = f"{last_major}.{last_minor}" if last_minor else None
        rows.setdefault((method, path, action or None), []).append((f"{major}.{minor}", last))
    names = {f"{m} {p}{f' {a}' if a else ''}": (m, p, a) for m, p, a in rows}
    only = sorted(set(names) ^ set(told))
    if only or not rows:
        raise SystemExit("in one of router.rs and routes.toml only:\n  " + "\n  ".join(only))
    used_up = {each["fresh"] for row in told.values() for each in (row, *row.get("others", [])) if "fresh" in each}
    unknown = sorted(kind for kind in used_up if not hasattr(Side, f"make_{kind}"))
    if unknown:
        raise SystemExit("routes.toml uses up what side.py does not make: " + ", ".join(unknown))
    return [Route(*key, rows[key], told[name]) for name, key in names.items()], borders


DEFAULT_IDS = {}


def number(version):
    return tuple(int(part) for part in version.split("."))


def requests(routes, borders):
    """All of them, route by route."""
    methods = {}
    for route in routes:
        methods.setdefault(route.path, set()).add(route.method)
    for route in routes:
        yield from good(route, borders)
        yield from versions(route)
        yield from callers(route)
        yield from ids(route)
        yield from bodies(route)
        yield from others(route)
        yield from urls(route)
        for query in route.queries:
            yield make(route, f"query {query}", path=f"{route.filled()}?{query}")
    for path, known in methods.items():
        some = next(route for route in routes if route.path == path)
        for method in METHODS:
            # HEAD is GET without a body.
            if method not in known and not (method == "HEAD" and "GET" in known):
                yield dataclasses.replace(make(some, f"method {method}", method=method), route=f"{method} {path}")


def make(route, case, **other):
    """A request to the route, good but for what is given."""
    fields = {"route": route.name, "case": case, "method": route.method, "path": route.filled(),
              "fresh": route.fresh, "version": route.highest}
    return Request(**{**fields, **other})


def first_body(route):
    return route.good[0][1] if route.good else None


def good(route, borders):
    """At every version of note that has it. What changes something: at its first and its last only."""
    inside = [v for v in borders if number(route.lowest) <= number(v) <= number(route.highest)]
    ends = sorted({route.lowest, route.highest}, key=number)
    at = sorted({*inside, *ends}, key=number) if route.method == "GET" else ends
    for version in at:
        for text, body in route.good or [("", None)]:
            yield make(route, f"good {text} @{version}".replace("  ", " "), body=body, version=version)
    if "2.0" in at and route.method == "GET":
        yield make(route, "good, no version named", version=None)


def versions(route):
    body = first_body(route)
    for version in BAD_VERSIONS if route.is_plain else ():
        yield make(route, f"version {version!r}", version=version, body=body)
    minor = number(route.lowest)[1]
    if minor > 0:
        yield make(route, "the version below its first", version=f"2.{minor - 1}", body=body)
    if route.highest != LATEST:
        yield make(route, "the version above its last", version=f"2.{number(route.highest)[1] + 1}", body=body)
    yield make(route, "not experimental", version=route.lowest, body=body, experimental=False)


def callers(route):
    """Everybody, as far as something stands for them; a reader and a stranger are refused most things."""
    body = first_body(route)
    for who in ("member", "reader", "stranger", None, *(["gAAAAABnonsense"] if route.is_plain else [])):
        yield make(route, f"as {who}", who=who, body=body)


def ids(route):
    if route.is_old:
        return
    body = first_body(route)
    for placeholder in route.placeholders:
        for title, value in BAD_IDS.items():
            yield make(route, f"{title} {placeholder}", path=route.filled(**{placeholder: value}), body=body)
            if title == "absent":
                yield make(route, f"{title} {placeholder} as member", who="member", body=body,
                           path=route.filled(**{placeholder: value}))


def bodies(route):
    if route.method not in ("POST", "PUT") or route.is_old:
        return
    for title, raw in NOT_JSON.items():
        yield make(route, f"body: {title}", raw=raw)
    for text in route.bad:
        yield make(route, f"body: {text}", body=json.loads(text))
    if route.good:
        body = route.good[0][1]
        for where in places(body):
            for title, value in WRONG.items():
                # Of what has no value at all two are enough: each uses something up.
                if at(body, where) is None and title not in ("text", "object"):
                    continue
                yield make(route, f"body: {'.'.join(where)}={title}", body=changed(body, where, value))
        inner = [where for where in places(body) if isinstance(at(body, where), dict)]
        for where in [(), *inner[:1]]:
            yield make(route, f"body: {'.'.join(where)} with an unknown key",
                       body=changed(body, (*where, "unknown"), "x"))


def others(route):
    """About other resources, or by others, than the good ones."""
    for told in route.others:
        named = {name: told[name] for name in ("who", "version", "fresh") if name in told}
        body = json.loads(told["body"]) if "body" in told else first_body(route)
        path = route.filled(**told.get("ids", {})) + (f"?{told['query']}" if "query" in told else "")
        yield make(route, told["case"], body=body, path=path, **{"fresh": None, **named})


def urls(route):
    """With a project in the URL: the caller's, somebody else's, none that could be."""
    body = first_body(route)
    for title, project in (("own", "$admin_project"), ("other", "$member_project"),
                           ("malformed", "not-a.project"), ("absent", uuid.UUID(int=7).hex)):
        if title == "own" or route.is_plain:
            yield make(route, f"{title} project in the URL", path=f"/{project}{route.filled()}", body=body)


def places(body, above=()):
    """The keys of an object, and of the objects in it, as paths."""
    found = []
    for key, value in body.items():
        found.append((*above, key))
        if isinstance(value, dict):
            found += places(value, (*above, key))
    return found


def at(body, where):
    for key in where:
        body = body[key]
    return body


def changed(body, where, value):
    """A copy in which something else stands at this place."""
    body = copy.deepcopy(body)
    holder = at(body, where[:-1])
    if value is REMOVE:
        del holder[where[-1]]
    else:
        holder[where[-1]] = value
    return body
