"""One of the two services that are compared: requests to it, and the resources that both are given."""

import http.client
import json
import time
import urllib.parse

SETTLE_SECONDS = 60
LATEST = "2.99"
# The key of one resource in the answers of its collection.
KEYS = {"shares": "share", "snapshots": "snapshot", "share-replicas": "share_replica"}
# Where a migration waits for the administrator.
RESTING = ("migration_driver_phase1_done", "data_copying_completed")
# What has to be at rest again before the next request is about it.
IN_USE = (("shares", "share"), ("shares", "ruled_share"), ("shares", "migrating"), ("snapshots", "snapshot"),
          ("share-replicas", "replica"), ("share-replicas", "active_replica"))
# What is used up, and has to end all the same: all the rest is deletions.
MOVED = (("shares", "movable"), ("shares", "migrating"), ("share-replicas", "replica"))
POOL = {"alpha": "compare@alpha#fake_pool_for_ALPHA", "beta": "compare@beta#fake_pool_for_BETA"}
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
        key = KEYS[collection]

        def found():
            answer = self.send("GET", f"/{collection}/{resource}")
            if answer.status == 404 and status is None:
                return {"status": "gone"}
            shown = answer.body[key]
            ended = not shown["status"].endswith(("ing", "_change")) or shown.get("task_state") in RESTING
            ended = ended and shown.get("access_rules_status") != "syncing"
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
        self.names.update(another_type=self.make_type("another", EXTRA_SPECS), long_reason="y" * 1024)
        self.ask("PUT", "/quota-class-sets/default", {"quota_class_set": {
            key: -1 for key in ("shares", "gigabytes", "snapshots", "snapshot_gigabytes")}})
        # Two messages, so that a page of one has a next.
        for make in (self.make_snapshot, self.make_rule, self.make_snapshot_rule, self.make_message,
                     self.make_message, self.make_private_type, self.make_group_type, self.make_private_group_type,
                     self.make_replica, self.make_another_share, self.make_lock, self.make_admin_lock,
                     self.make_locked_share, self.make_locked_rule, self.make_passing_share,
                     self.make_passing_snapshot, self.make_migrating, self.make_migrated, self.make_known,
                     self.make_replicated_snapshot):
            self.names.update(make())
        self.names["binned"] = self.make_binned()["share"]
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
        return {"ruled_snapshot": snapshot, "snapshot_rule": rule["snapshot_access"]["id"],
                "snapshot_share": names["share"]}

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

    def make_passing_share(self):
        """A share of which something seems to be under way."""
        share = self.make_share()["share"]
        self.ask("POST", f"/shares/{share}/action", {"reset_status": {"status": "creating"}})
        return {"passing_share": share}

    def make_passing_snapshot(self):
        snapshot = self.make_snapshot()["snapshot"]
        self.ask("POST", f"/snapshots/{snapshot}/action", {"reset_status": {"status": "creating"}})
        return {"passing_snapshot": snapshot}

    def make_unmanaged_share(self):
        """What a backend has and the service does not know: its path, and the pool that it is in."""
        share = self.make_share()["share"]
        path = self.ask("GET", f"/shares/{share}/export_locations", who="member")["export_locations"][0]["path"]
        host = self.ask("GET", f"/shares/{share}")["share"]["host"]
        self.ask("POST", f"/shares/{share}/action", {"unmanage": None})
        self.until(lambda: self.settled("shares", share, None)["status"] == "gone", f"unmanaged: {share}")
        return {"unmanaged_path": path, "unmanaged_host": host}

    def make_unmanaged_snapshot(self):
        names = self.make_snapshot()
        snapshot = names["snapshot"]
        location = self.ask("GET", f"/snapshots/{snapshot}")["snapshot"]["provider_location"]
        self.ask("POST", f"/snapshots/{snapshot}/action", {"unmanage": None})
        self.until(lambda: self.settled("snapshots", snapshot, None)["status"] == "gone", f"unmanaged: {snapshot}")
        return {"unmanaged_location": location, "share_of_location": names["share"]}

    def make_known(self):
        """Where a share and a snapshot are that the service knows."""
        names = self.make_snapshot()
        path = self.ask("GET", f"/shares/{names['share']}/export_locations", who="member")["export_locations"][0]["path"]
        return {"known_path": path, "known_host": self.ask("GET", f"/shares/{names['share']}")["share"]["host"],
                "known_location": self.ask("GET", f"/snapshots/{names['snapshot']}")["snapshot"]["provider_location"],
                "share_of_known": names["share"]}

    def make_movable(self):
        """A share whose pool is known, so that the other one is."""
        return {"movable": self.make_share(availability_zone="manila-zone-0")["share"]}

    def make_assisted(self):
        """One whose migration is not waited for: the reference has no data service here, which would copy."""
        return {"assisted": self.make_movable()["movable"]}

    def make_migrating(self):
        """A share whose first phase of a migration is done."""
        share = self.make_movable()["movable"]
        self.ask("POST", f"/shares/{share}/action", {"migration_start": {
            "host": POOL["beta"], "writable": True, "nondisruptive": False,
            "preserve_metadata": True, "preserve_snapshots": True}})
        self.until(lambda: self.ask("GET", f"/shares/{share}")["share"]["task_state"] ==
                   "migration_driver_phase1_done", f"through phase 1: {share}")
        return {"migrating": share}

    def make_migrated(self):
        share = self.make_migrating()["migrating"]
        self.ask("POST", f"/shares/{share}/action", {"migration_complete": None})
        self.until(lambda: self.ask("GET", f"/shares/{share}")["share"]["task_state"] == "migration_success",
                   f"migrated: {share}")
        return {"migrated": share}

    def make_locked_movable(self):
        share = self.make_movable()["movable"]
        self.make_lock(of=share)
        return {"locked_movable": share}

    def make_lock(self, who="member", kind="share", of=None, **options):
        """A lock on a share of its own."""
        body = {"resource_id": of or self.make_share()["share"], "resource_type": kind, "lock_reason": "made", **options}
        made = self.ask("POST", "/resource-locks", {"resource_lock": body}, who)
        return {"lock": made["resource_lock"]["id"], "locked": body["resource_id"]}

    def make_admin_lock(self):
        return {"admin_lock": self.make_lock("admin")["lock"]}

    def make_locked_share(self):
        return {"locked_share": self.make_lock()["locked"]}

    def make_rule_lock(self):
        return {"rule_lock": self.make_lock(kind="access_rule", of=self.make_rule()["rule"])["lock"]}

    def make_locked_rule(self):
        """A rule that nobody may delete, and only who made it may read."""
        names = self.make_rule()
        for action in ("delete", "show"):
            self.make_lock(kind="access_rule", of=names["rule"], resource_action=action)
        return {"locked_rule": names["rule"], "locked_rule_share": names["ruled_share"]}

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
        all_replicas = self.ask("GET", f"/share-replicas?share_id={share}")["share_replicas"]
        (active,) = (each["id"] for each in all_replicas if each["replica_state"] == "active")
        return {"replicated_share": share, "replica": replica, "replica_location": location["id"],
                "active_replica": active}

    def make_broken_replica(self):
        names = self.make_replica()
        self.ask("POST", f"/share-replicas/{names['replica']}/action", {"reset_status": {"status": "error"}})
        return names

    def make_replicated_snapshot(self):
        share = self.make_replica()["replicated_share"]
        snapshot = self.ask("POST", "/snapshots", {"snapshot": {"share_id": share}}, "member")["snapshot"]["id"]
        self.settled("snapshots", snapshot)
        return {"replicated_snapshot": snapshot}

    def take(self, kind):
        """The names of a resource that a request may use up."""
        if kind and kind not in self.fresh:
            self.fresh[kind] = getattr(self, f"make_{kind}")()
        return {**self.names, **(self.fresh[kind] if kind else {})}

    def after_change(self, request, answer):
        """After a request that was accepted: what it used is used up, what it began has ended."""
        made = answer.body if isinstance(answer.body, dict) else {}
        for collection, key in KEYS.items():
            if "id" in (made.get(key) or {}):
                self.settled(collection, made[key]["id"], None)
        if request.path.endswith("services/disable"):
            # Else nothing is placed there by what comes after it.
            self.ask("PUT", "/services/enable", {"host": "compare@beta", "binary": "manila-share"})
        if request.path.endswith("ensure-shares"):
            self.until(lambda: not any(each["ensuring"] for each in self.ask("GET", "/services")["services"]), "ensured")
        names = self.fresh.pop(request.fresh, {}) if request.fresh else self.names
        for collection, name in IN_USE if request.fresh is None else MOVED:
            if name in names and name in request.names:
                self.settled(collection, names[name], None)
