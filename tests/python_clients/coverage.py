"""Holds the tests' sources against what a client offers, so that nothing new stays untested in silence."""

import ast
import pathlib

# What a test calls its clients.
CLIENTS = {"admin", "tenant", "reader", "proxy"}


def called(pattern):
    """What the sources of this folder whose names match call on their clients: `self.admin.shares.list`
    is `shares.list`."""
    sources = pathlib.Path(__file__).parent.glob(pattern)
    return set().union(*(called_in(source.read_text()) for source in sources))


def called_in(source):
    """The same of the text of one source."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            names.append(node.id)
        while names:
            name = names.pop()
            if name in CLIENTS:
                found.add(".".join(reversed(names)))
                break
    return found


def problems(offered, tested, reasons):
    """What is neither tested nor has a reason why not, and reasons that are out of date. `reasons` are
    by name or, for all names of a group, by what they begin or end with (`*`)."""
    def reason(name):
        return next((key for key in reasons if matches(key, name)), None)

    told = [f"neither tested nor listed: {name}" for name in sorted(offered - tested) if not reason(name)]
    told += [f"tested, and listed as not: {name}" for name in sorted(offered & tested) if reason(name)]
    told += [f"listed, and the client has none: {key}" for key in sorted(reasons)
             if not any(matches(key, name) for name in offered)]
    return told


def matches(key, name):
    """Whether a key, perhaps with a `*` at one of its ends, means the name."""
    if key.startswith("*"):
        return name.endswith(key[1:])
    return name.startswith(key[:-1]) if key.endswith("*") else name == key
