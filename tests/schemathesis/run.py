"""Has schemathesis make requests of all kinds from the OpenAPI document, good and bad, and send them to
a fresh Abaca, then to one whose resources they find: no 5xx, no answer outside its schema, nothing
wrong taken. The newest version at length, some older ones in short.

    ABACA_TEST_BINARY=target/release/abaca python tests/schemathesis/run.py [MICROVERSION [OPTION...]]

Options are those of `schemathesis run`, instead of the usual ones: `2.40 --max-examples 500`.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "openstack_client"))
from seeds import Seeds  # noqa: E402
from service import BINARY, Service  # noqa: E402

SECONDS = 900
# Where much begins or ends: the first; the last before the names of paths and actions changed; the first
# with /share-access-rules; one amid the experiments that have become part since.
OLDER = ("2.0", "2.6", "2.45", "2.65")
# What is left out, and why:
# - ignored_auth, missing_required_header: on loopback, noauth takes a request without a token.
# - positive_data_acceptance: what is refused may be of the right shape and yet stand against what is
#   there, or against another field.
# - use_after_free, ensure_resource_availability: shares come and go after the answer, not with it.
# - object_level_authorization: tests/it/authorisation tries every route with every caller.
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "unsupported_method", "allow_header_conformance",
)
USUAL = {
    "--phases": "coverage,fuzzing", "--max-examples": "10", "--seed": "1", "--workers": "1",
    "--generation-database": "none", "--warnings": "off",
    # Several workers trip over a race of CPython 3.11 (ast.parse in threads). The slowness of a busy machine is no finding.
    "--suppress-health-check": "all",
}


# Two directories that hold replicas of each other's shares.
CONFIG = "".join(f"""
[[backend]]
name = "{name}"
driver = "directory"
root = "{{root}}/{name}"
replication_domain = "seeds"
replication_type = "readable"
""" for name in ("one", "two"))


def document(microversion):
    """The document of one microversion, of which nothing is optional but what really is."""
    command = [BINARY, "openapi", "--microversion", microversion]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def with_optional_bodies(contract):
    """OpenAPI has no words for actions of one path of which some answer without a body, with the same
    status: their bodies are left to the tests of the service."""
    for method, path in operations(contract):
        for response in contract["paths"][path][method.lower()]["responses"].values():
            if "without-body" in response.get("x-openstack", {}):
                del response["content"]
    return contract


def operations(contract):
    """The method and path of each."""
    methods = ("get", "put", "post", "delete")
    return [(method.upper(), path) for path, item in contract["paths"].items()
            for method in methods if method in item]


def configuration(contract, seeds):
    """What leads each operation to resources of its own, as schemathesis.toml has it."""
    lines = []
    for method, path in operations(contract):
        parameters = seeds.parameters(path)
        if parameters:
            values = ", ".join(f"{json.dumps(f'path.{name}')} = {json.dumps(value)}"
                               for name, value in parameters.items())
            lines += ["[[operations]]", f'include-name = "{method} {path}"', f"parameters = {{ {values} }}"]
    return "\n".join(lines)


def run(directory, service, contract, microversion, seeded, options):
    """Whether schemathesis found nothing."""
    schema, config = directory / "openapi.json", directory / "schemathesis.toml"
    schema.write_text(json.dumps(contract))
    config.write_text(configuration(contract, Seeds(service.endpoint)) if seeded else "")
    usual = [word for option in USUAL.items() if option[0] not in options for word in option]
    result = subprocess.run(
        [pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", config, "run", schema,
         "--url", service.endpoint, "--checks", ",".join(CHECKS),
         "--header", f"X-OpenStack-Manila-API-Version: {microversion}",
         "--header", "X-Auth-Token: admin:admin:admin", "--no-color", "--no-shrink",
         *usual, *options],
        cwd=directory, timeout=SECONDS,
    )
    if result.returncode != 0:
        print(service.printed()[-5000:])
    return result.returncode == 0


def main(microversion=None, *options):
    """The newest version, or the one that is named, with nothing there and with resources; then older
    ones with resources, in a short phase."""
    rounds = [(microversion or "2.99", seeded, options) for seeded in (False, True)]
    if microversion is None:
        rounds += [(older, True, ("--phases", "coverage")) for older in OLDER]
    sound = True
    for version, seeded, options in rounds:
        what = "each operation led to resources of its own" if seeded else "nothing is there"
        print(f"\n--- {version}: {what}", flush=True)
        contract = with_optional_bodies(document(version))
        with tempfile.TemporaryDirectory(prefix="abaca-schemathesis.") as directory:
            directory = pathlib.Path(directory)
            (directory / "abaca.toml").write_text(CONFIG.format(root=directory))
            with Service(arguments=["--config", str(directory / "abaca.toml")]) as service:
                sound = run(directory, service, contract, version, seeded, options) and sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
