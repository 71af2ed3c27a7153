"""The lists: which modules are run, which tests must pass, and which need not and why."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected.txt"
NOT_EXPECTED = HERE / "not-expected.txt"


def lines(path):
    """The lines of a file but for empty ones and comments."""
    if not path.exists():
        return []
    text = (line.strip() for line in path.read_text().splitlines())
    return [line for line in text if line and not line.startswith("#")]


def modules():
    """The regular expressions of the modules that are run."""
    return lines(HERE / "modules.txt")


def not_expected():
    """Test -> why it need not pass. A reason stands behind `#` on the test's line."""
    reasons = {}
    for line in lines(NOT_EXPECTED):
        name, _, reason = line.partition(" # ")
        if not reason.strip():
            raise SystemExit(f"{NOT_EXPECTED.name}: no reason is given for {name}")
        reasons[name.strip()] = reason.strip()
    return reasons


def compare(outcome):
    """What is not as the lists say, one line each. Only tests of this run count."""
    expected, reasons = set(lines(EXPECTED)), not_expected()
    complaints = [f"in both lists: {name}" for name in sorted(expected & reasons.keys())]
    for name, state in sorted(outcome.items()):
        if name in expected and state != "pass":
            complaints.append(f"{state}, but must pass: {name}")
        elif name not in expected and state == "pass":
            complaints.append(f"passes, but is not in {EXPECTED.name}: {name}")
        elif name not in expected and state not in ("pass", "skip") and name not in reasons:
            complaints.append(f"{state}, and no reason is given: {name}")
    return complaints


def write(path, outcome):
    """The result lines."""
    path.write_text("".join(f"{state} {name}\n" for name, state in sorted(outcome.items())))


def record(outcome):
    """Writes the expected list anew: what passed, and what was not looked at in this run."""
    kept = [name for name in lines(EXPECTED) if name not in outcome]
    passed = [name for name, state in outcome.items() if state == "pass"]
    head = "# The tests that must pass. Written by tests/conformance/run --record; review what it changes.\n"
    EXPECTED.write_text(head + "".join(f"{name}\n" for name in sorted({*kept, *passed})))
