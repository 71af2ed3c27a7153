"""One of the two services that are compared: requests to it, and the resources that both are given."""

import http.client
import json
import time
import urllib.parse

SETTLE_SECONDS = 60
LATEST = "2.99"
EXTRA_SPECS = {
    "snapshot_support": "True", "create_share_from_snapshot_support": "True",
    "revert_to_snapshot_support": "True", "mount_snapshot_support": "True",
}


class Answer:
    """Status, headers (names in lower case) and text."""

    def __init__(self, status, headers, text):
        self.status, self.text = status, text
        self.headers = {name.lower(): value for name, value in headers}
        try:
            self.body = json.loads(text) if text else None
        except ValueError:
            self.body = text.decode(errors="replace")


class Side:
    """`names` are what stands for `$name` in a request to this service: ids of its resources."""

    def __init__(self, title, endpoint, tokens, projects):
        self.title, self.tokens = title, tokens
        parts = urllib.parse.urlsplit(endpoint)
        self.address, self.root = parts.netloc, parts.path
        self.names = {f"{name}_project": project for name, project in projects.items()}
        # What a request may use up, by its kind; made anew after that.
        self.fresh = {}

    def send(self, method, path, body=None, version=LATEST, who="admin", headers=None, raw=None, prefix=None):
        """One request. `who` names a token, None sends none; `raw` is a body that is no JSON."""
        sent = {"Connection": "close", "Accept": "application/json"}
        if who is not None:
            sent["X-Auth-Token"] = self.tokens.get(who, who)
        if version is not None:
            sent["X-OpenStack-Manila-API-Version"] = version
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, (self.root if prefix is None else prefix) + path, data, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def ask(self, method, path, body=None, who="admin"):
        """A request that must succeed: its body."""
        answer = self.send(method, path, body, who=who, headers={"X-OpenStack-Manila-API-Experimental": "True"})
        if answer.status >= 300:
            raise AssertionError(f"{self.title}: {method} {path}: {answer.status} {answer.text[:500]}")
        return answer.body

    def until(self, question, what):
        """Asks until the answer is true, and gives it."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = question()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.title}: not {what} within {SETTLE_SECONDS} s")
            time.sleep(0.05)

    def settled(self, collection, resource, status="available"):
        """The resource, once nothing is under way and it has this status (None: whatever it is)."""
        key = "share" if collection == "shares" else "snapshot"

        def found():
            answer = self.send("GET", f"/{collection}/{resource}")
            if answer.status == 404 and status is None:
                return {"status": "gone"}
            shown = answer.body[key]
            ended = not shown["status"].endswith("ing") and shown.get("access_rules_status") != "syncing"
            return shown if ended and shown["status"] in (status or shown["status"], "error") else None

        shown = self.until(found, f"settled: {collection}/{resource}")
        if status is not None and shown["status"] != status:
            raise AssertionError(f"{self.title}: {collection}/{resource} is {shown['status']}, not {status}")
        return shown

    # What requests are about.

    def prepare(self):
        """Share types, quotas without limits, and one resource of every kind."""
        types = {each["name"]: each["id"] for each in self.ask("GET", "/types")["share_types"]}
        if "default" in types:
            self.ask("POST", f"/types/{types['default']}/extra_specs", {"extra_specs": EXTRA_SPECS})
        else:
            self.make_type("default", EXTRA_SPECS)
        self.make_type("nowhere", {**EXTRA_SPECS, "vendor_name": "nobody"})
        self.make_type("replicated", {**EXTRA_SPECS, "replication_type": "readable"})
        self.ask("PUT", "/quota-class-sets/default", {"quota_class_set": {
            key: -1 for key in ("shares", "gigabytes", "snapshots", "snapshot_gigabytes")}})
        # Two messages, so that a page of one has a next.
        for make in (self.make_snapshot, self.make_rule, self.make_snapshot_rule, self.make_message,
                     self.make_message, self.make_private_type, self.make_group_type, self.make_private_group_type,
                     self.make_replica):
            self.names.update(make())
        self.names.update(self.make_another_share())
        self.names["public_type"] = types.get("default") or next(
            each["id"] for each in self.ask("GET", "/types")["share_types"] if each["name"] == "default")

    def make_type(self, name, specs, public=True):
        body = {"name": name, "share_type_access:is_public": public,
                "extra_specs": {"driver_handles_share_servers": "False", **specs}}
        return self.ask("POST", "/types", {"share_type": body})["share_type"]["id"]

    def make_share(self, size=1, **options):
        """A tenant's share with metadata; its instance and its export location."""
        body = {"share_proto": "NFS", "size": size, "name": "made", "metadata": {"aim": "doc"}, **options}
        share = self.ask("POST", "/shares", {"share": body}, "member")["share"]["id"]
        self.settled("shares", share)
        (instance,) = self.ask("GET", f"/shares/{share}/instances")["share_instances"]
        # As the tenant: some are the administrator's alone.
        location = self.ask("GET", f"/shares/{share}/export_locations", who="member")["export_locations"][0]
        return {"share": share, "share_instance": instance["id"], "location": location["id"]}

    def make_big_share(self):
        return self.make_share(3)

    def make_another_share(self):
        return {"another_share": self.make_share()["share"]}

    def make_binned(self):
        names = self.make_share()
        self.ask("POST", f"/shares/{names['share']}/action", {"soft_delete": None}, "member")
        return names

    def make_snapshot(self):
        names = self.make_share()
        body = {"share_id": names["share"], "name": "made", "metadata": {"aim": "doc"}}
        snapshot = self.ask("POST", "/snapshots", {"snapshot": body}, "member")["snapshot"]["id"]
        self.settled("snapshots", snapshot)
        found = self.ask("GET", f"/snapshot-instances?snapshot_id={snapshot}")["snapshot_instances"]
        names.update(snapshot=snapshot, snapshot_instance=found[0]["id"])
        for name, path in (("snapshot_location", f"/snapshots/{snapshot}"),
                           ("instance_location", f"/snapshot-instances/{found[0]['id']}")):
            path += "/export-locations"
            locations = self.ask("GET", path)["share_snapshot_export_locations"]
            names[name] = next(each["id"] for each in locations if not each["is_admin_only"])
        return names

    def make_rule(self):
        names = self.make_share()
        body = {"access_type": "ip", "access_to": "10.0.0.9", "access_level": "rw", "metadata": {"aim": "doc"}}
        path = f"/shares/{names['share']}/action"
        rule = self.ask("POST", path, {"allow_access": body}, "member")["access"]["id"]
        self.until(lambda: self.ask("GET", f"/share-access-rules/{rule}")["access"]["state"] == "active", "active")
        self.settled("shares", names["share"])
        return {"ruled_share": names["share"], "rule": rule}

    def make_snapshot_rule(self):
        names = self.make_snapshot()
        snapshot = names["snapshot"]
        body = {"access_type": "ip", "access_to": "10.0.0.9"}
        rule = self.ask("POST", f"/snapshots/{snapshot}/action", {"allow_access": body}, "member")
        self.until(lambda: self.ask("GET", f"/snapshots/{snapshot}/access-list")
                   ["snapshot_access_list"][0]["state"] == "active", "active")
        return {"ruled_snapshot": snapshot, "snapshot_rule": rule["snapshot_access"]["id"]}

    def make_message(self):
        body = {"share_proto": "NFS", "size": 1, "share_type": "nowhere"}
        share = self.ask("POST", "/shares", {"share": body}, "member")["share"]["id"]
        found = self.until(
            lambda: self.ask("GET", f"/messages?resource_id={share}")["messages"], "told by a message")
        return {"message": found[0]["id"]}

    def make_public_type(self):
        return {"type": self.make_type(f"made-{time.monotonic_ns()}", {"aim": "doc"})}

    def make_private_type(self):
        made = self.make_type(f"made-{time.monotonic_ns()}", {"aim": "doc"}, public=False)
        project = self.names["member_project"]
        self.ask("POST", f"/types/{made}/action", {"addProjectAccess": {"project": project}})
        return {"private_type": made, "type": made}

    def make_group_type(self, public=True):
        body = {"name": f"made-{time.monotonic_ns()}", "share_types": ["default"],
                "group_specs": {"aim": "doc"}, "is_public": public}
        made = self.ask("POST", "/share-group-types", {"share_group_type": body})
        return {"group_type": made["share_group_type"]["id"]}

    def make_private_group_type(self):
        made = self.make_group_type(public=False)["group_type"]
        project = self.names["member_project"]
        self.ask("POST", f"/share-group-types/{made}/action", {"addProjectAccess": {"project": project}})
        return {"private_group_type": made}

    def make_replicated_share(self):
        zone = {"share_type": "replicated", "availability_zone": "manila-zone-0"}
        return {"replicated_share": self.make_share(**zone)["share"]}

    def make_replica(self):
        """A second replica, in sync, with metadata."""
        share = self.make_replicated_share()["replicated_share"]
        body = {"share_id": share, "availability_zone": "manila-zone-1"}
        replica = self.ask("POST", "/share-replicas", {"share_replica": body}, "member")["share_replica"]["id"]
        path = f"/share-replicas/{replica}"

        def is_ready():
            shown = self.ask("GET", path)["share_replica"]
            return shown["status"] == "available" and shown["replica_state"] == "in_sync"

        self.until(is_ready, f"in sync: {replica}")
        self.ask("POST", f"{path}/metadata", {"metadata": {"aim": "doc"}}, "member")
        location = self.ask("GET", f"{path}/export-locations", who="member")["export_locations"][0]
        return {"replicated_share": share, "replica": replica, "replica_location": location["id"]}

    def take(self, kind):
        """The names of a resource that a request may use up."""
        if kind and kind not in self.fresh:
            self.fresh[kind] = getattr(self, f"make_{kind}")()
        return {**self.names, **(self.fresh[kind] if kind else {})}

    def after_change(self, kind, answer):
        """After a request that was accepted: what it used is used up, what it began has ended."""
        made = answer.body if isinstance(answer.body, dict) else {}
        for key in ("share", "snapshot"):
            if "id" in (made.get(key) or {}):
                self.settled(f"{key}s", made[key]["id"], None)
        if kind:
            self.fresh.pop(kind, None)
            return
        self.until(lambda: not any(each["ensuring"] for each in self.ask("GET", "/services")["services"]), "ensured")
        for collection, name in (("shares", "share"), ("snapshots", "snapshot"), ("shares", "ruled_share")):
            self.settled(collection, self.names[name], None)
