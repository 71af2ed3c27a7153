"""Abaca before a real Keystone, and requests to it."""

import json
import pathlib
import sys
import urllib.error
import urllib.request

from keystone_server import PASSWORD

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "openstack_client"))
from service import Service  # noqa: E402

CACHE_SECONDS = 2
TIMEOUT_SECONDS = 3


def service(keystone_url, **keys):
    """Abaca with Keystone as its identity; `keys` of `[identity]` go over the usual ones."""
    identity = {
        "strategy": "keystone", "auth_url": keystone_url, "password": PASSWORD,
        "cache_seconds": CACHE_SECONDS, "timeout_seconds": TIMEOUT_SECONDS, **keys,
    }
    variables = {f"ABACA__IDENTITY__{key.upper()}": str(value) for key, value in identity.items() if value is not None}
    return Service({**variables, "ABACA__BACKEND__FAKE__DRIVER": "simulated"})


class Answer:
    """What came back: `status`, `headers`, `body` (parsed JSON, or None)."""

    def __init__(self, status, headers, text):
        self.status, self.headers = status, headers
        self.body = json.loads(text) if text else None


def ask(service, token=None, path="/snapshot-instances", service_token=None, method="GET", body=None):
    """A request at the last version, with `body` as JSON."""
    headers = {"X-OpenStack-Manila-API-Version": "2.99"}
    if token is not None:
        headers["X-Auth-Token"] = token
    if service_token is not None:
        headers["X-Service-Token"] = service_token
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(service.endpoint + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def status(service, token=None, **others):
    return ask(service, token, **others).status
