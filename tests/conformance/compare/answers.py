"""What of two answers must be alike: status, fault, the headers that clients read, keys and types."""

# Compared by value, and only by whether they are there.
BY_VALUE = ("content-type", "x-openstack-manila-api-version", "vary")
BY_PRESENCE = ("location", "www-authenticate", "x-openstack-request-id", "x-compute-request-id",
               "retry-after", "allow")


def differences(reference, abaca):
    """Each in a line, the reference's answer first."""
    if kind(reference) != kind(abaca):
        return [f"answer: {kind(reference)} != {kind(abaca)}"]
    found = []
    for name in BY_VALUE:
        theirs, ours = reference.headers.get(name), abaca.headers.get(name)
        if theirs != ours:
            found.append(f"header {name}: {theirs} != {ours}")
    for name in BY_PRESENCE:
        theirs, ours = name in reference.headers, name in abaca.headers
        if theirs != ours:
            found.append(f"header {name}: {'there' if theirs else 'absent'} != {'there' if ours else 'absent'}")
    compare("body", shape(reference.body), shape(abaca.body), found)
    return found


def kind(answer):
    """The status, and the fault's name if it is one."""
    fault = ""
    if answer.status >= 400 and isinstance(answer.body, dict) and len(answer.body) == 1:
        fault = f" {next(iter(answer.body))}"
    return f"{answer.status}{fault}"


def shape(value):
    """Keys and types. Of a list: what its elements have in common with each other; None if it is empty."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        merged = None
        for each in value:
            merged = merge(merged, shape(each))
        return [merged]
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", float: "number", str: "string", type(None): "null"}[type(value)]


def merge(one, other):
    """The shape of both; types beside each other, as `null|string`."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: merge(one.get(key), other.get(key)) for key in one.keys() | other.keys()}
    if isinstance(one, list) and isinstance(other, list):
        return [merge(one[0], other[0])]
    names = {part for each in (one, other) for part in word(each).split("|")}
    return "|".join(sorted(names))


def word(found):
    """A shape in one word."""
    return {dict: "object", list: "array"}.get(type(found), found)


def compare(path, theirs, ours, found):
    """Adds how two shapes differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            if key not in ours:
                found.append(f"{path}.{key}: {word(theirs[key])} != absent")
            elif key not in theirs:
                found.append(f"{path}.{key}: absent != {word(ours[key])}")
            else:
                compare(f"{path}.{key}", theirs[key], ours[key], found)
    elif isinstance(theirs, list) and isinstance(ours, list):
        # Of an empty list nothing is known.
        if None not in (theirs[0], ours[0]):
            compare(f"{path}[]", theirs[0], ours[0], found)
    elif theirs != ours and not (theirs is None or ours is None):
        found.append(f"{path}: {word(theirs)} != {word(ours)}")
