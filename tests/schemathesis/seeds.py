"""Resources for the requests to find: each operation gets some of its own, so that what one does to
them stands in no other's way."""

import json
import time
import urllib.request

SETTLE_SECONDS = 60
# As many of everything as there are operations, and what the requests make.
QUOTA = {name: -1 for name in (
    "shares", "gigabytes", "snapshots", "snapshot_gigabytes", "share_replicas", "replica_gigabytes")}
TYPE = {
    "name": "seeds",
    "extra_specs": {
        "driver_handles_share_servers": "False", "snapshot_support": "True",
        "mount_snapshot_support": "True", "create_share_from_snapshot_support": "True",
        "revert_to_snapshot_support": "True", "replication_type": "readable",
    },
}


class Seeds:
    """Makes resources through the API, in the newest version."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.ask("PUT", "/quota-sets/admin", {"quota_set": QUOTA})
        self.type = self.ask("POST", "/types", {"share_type": TYPE})["share_type"]["id"]
        # Who makes what the path of an operation leads to.
        self.names = 0
        self.makers = {
            "/shares/": self.share, "/share_instances/": self.share_instance,
            "/share-replicas/": self.replica, "/share-access-rules/": self.rule,
            "/snapshots/": self.snapshot, "/snapshot-instances/": self.snapshot_instance,
            "/resource-locks/": self.lock, "/types/": self.share_type,
            "/share-group-types/": self.group_type, "/messages/": self.message,
            "/quota-sets/": lambda: {"project_id": "admin"},
            "/quota-class-sets/": lambda: {"class_name": "default"},
        }

    def ask(self, method, path, body=None):
        """The answer's body; an answer of 400 or more is an exception."""
        request = urllib.request.Request(
            self.endpoint + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Auth-Token": "admin:admin:admin",
                     "X-OpenStack-Manila-API-Version": "2.99"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def settled(self, path, key, wanted="available"):
        deadline = time.monotonic() + SETTLE_SECONDS
        while (status := self.ask("GET", path)[key]["status"]) != wanted:
            if status == "error" or time.monotonic() > deadline:
                raise AssertionError(f"{path} is {status}, not {wanted}")

    def parameters(self, path):
        """The path's parameters that lead to something; none where there is nothing to lead to."""
        maker = next((make for start, make in self.makers.items() if path.startswith(start)), None)
        if maker is None or "{" not in path:
            return {}
        found = maker()
        if "{export_location_id}" in path:
            listed = path.split("/{export_location_id}")[0].replace("{id}", found["id"])
            (locations,) = self.ask("GET", listed).values()
            found["export_location_id"] = locations[0]["id"]
        return {name: value for name, value in found.items() if f"{{{name}}}" in path}

    def share(self):
        made = self.ask("POST", "/shares", {"share": {
            "share_proto": "NFS", "size": 1, "share_type": self.type, "metadata": {"color": "blue"}}})["share"]
        self.settled(f"/shares/{made['id']}", "share")
        location = self.ask("GET", f"/shares/{made['id']}/export_locations")["export_locations"][0]["id"]
        self.ask("POST", f"/shares/{made['id']}/export_locations/{location}/metadata",
                 {"metadata": {"color": "blue"}})
        return {"id": made["id"], "key": "color"}

    def share_instance(self):
        return {"id": self.ask("GET", f"/shares/{self.share()['id']}/instances")["share_instances"][0]["id"]}

    def replica(self):
        made = self.ask("POST", "/share-replicas", {"share_replica": {"share_id": self.share()["id"]}})
        made = made["share_replica"]["id"]
        self.settled(f"/share-replicas/{made}", "share_replica")
        self.ask("POST", f"/share-replicas/{made}/metadata", {"metadata": {"color": "blue"}})
        return {"id": made, "key": "color"}

    def rule(self):
        made = self.ask("POST", f"/shares/{self.share()['id']}/action", {"allow_access": {
            "access_type": "ip", "access_to": "10.0.0.1", "metadata": {"color": "blue"}}})
        return {"id": made["access"]["id"], "key": "color"}

    def snapshot(self):
        made = self.ask("POST", "/snapshots", {"snapshot": {
            "share_id": self.share()["id"], "metadata": {"color": "blue"}}})["snapshot"]["id"]
        self.settled(f"/snapshots/{made}", "snapshot")
        return {"id": made, "key": "color"}

    def snapshot_instance(self):
        listed = self.ask("GET", f"/snapshot-instances?snapshot_id={self.snapshot()['id']}")
        return {"id": listed["snapshot_instances"][0]["id"]}

    def lock(self):
        made = self.ask("POST", "/resource-locks", {"resource_lock": {
            "resource_id": self.share()["id"], "resource_type": "share"}})
        return {"id": made["resource_lock"]["id"]}

    def named(self):
        self.names += 1
        return f"seed-{self.names}"

    def share_type(self):
        made = self.ask("POST", "/types", {"share_type": {
            "name": self.named(),
            "extra_specs": {"driver_handles_share_servers": "False", "color": "blue"}}})
        return {"id": made["share_type"]["id"], "key": "color"}

    def group_type(self):
        made = self.ask("POST", "/share-group-types", {"share_group_type": {
            "name": self.named(), "share_types": [self.type], "group_specs": {"color": "blue"}}})
        return {"id": made["share_group_type"]["id"], "key": "color"}

    def message(self):
        """What a share that no pool takes leaves behind."""
        share_type = self.ask("POST", "/types", {"share_type": {
            "name": self.named(),
            "extra_specs": {"driver_handles_share_servers": "False", "vendor_name": "nobody"}}})
        made = self.ask("POST", "/shares", {"share": {
            "share_proto": "NFS", "size": 1, "share_type": share_type["share_type"]["id"]}})["share"]["id"]
        self.settled(f"/shares/{made}", "share", "error")
        return {"id": self.ask("GET", f"/messages?resource_id={made}")["messages"][0]["id"]}
