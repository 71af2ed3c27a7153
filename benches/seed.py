"""Rows for the benchmarks, written straight into Abaca's tables: shares with ten snapshots each, all
`available`, on a host that no backend serves, so that nothing in the service touches them."""

import sqlite3
import subprocess
import uuid

SNAPSHOTS_PER_SHARE = 10
HOST = "seed@seed#seed"
BEGIN_MICROSECONDS = 1_790_000_000_000_000
BATCH = 500


def rows(count, share_type):
    """table -> (columns, rows) for `count` snapshot instances."""
    tables = {
        "shares": (
            "id project_id user_id name size share_proto is_public share_type_id snapshot_support "
            "create_share_from_snapshot_support revert_to_snapshot_support mount_snapshot_support "
            "created_at updated_at", []),
        "share_instances": (
            "id share_id host availability_zone status access_rules_status progress "
            "cast_rules_to_readonly fence created_at updated_at", []),
        "snapshots": (
            "id share_id project_id user_id name size share_size share_proto created_at updated_at", []),
        "snapshot_instances": (
            "id snapshot_id share_id share_instance_id status progress provider_location fence "
            "created_at updated_at", []),
    }
    shares, share_instances, snapshots, instances = (table[1] for table in tables.values())
    for number in range(count):
        time = BEGIN_MICROSECONDS + number * 1_000_000
        if number % SNAPSHOTS_PER_SHARE == 0:
            share, share_instance = str(uuid.uuid4()), str(uuid.uuid4())
            shares.append((share, "admin", "admin", f"seed-{number}", 1, "NFS", 0, share_type,
                           1, 1, 1, 1, time, time))
            share_instances.append((share_instance, share, HOST, "seed", "available", "active", "100%",
                                    0, 0, time, time))
        snapshot, instance = str(uuid.uuid4()), str(uuid.uuid4())
        snapshots.append((snapshot, share, "admin", "admin", f"seed-{number}", 1, 1, "NFS", time, time))
        instances.append((instance, snapshot, share, share_instance, "available", "100%",
                          f"/path/to/seed/snapshot/snapshot_{instance}", 0, time, time))
    return tables


def script(count, share_type):
    """The SQL that replaces what was seeded before; every value is made here, none comes from outside."""
    lines = ["BEGIN;"]
    for table in ("snapshot_instances", "snapshots", "share_instances", "shares"):
        lines.append(f"DELETE FROM {table};")
    for table, (columns, values) in rows(count, share_type).items():
        for batch in (values[at:at + BATCH] for at in range(0, len(values), BATCH)):
            lines.append(f"INSERT INTO {table} ({', '.join(columns.split())}) VALUES")
            lines.append(",\n".join(f"({', '.join(map(repr, row))})" for row in batch) + ";")
    lines.append("COMMIT;")
    return "\n".join(lines)


class Sqlite:
    """The database file in the service's data directory."""

    name = "SQLite"

    def __init__(self, path):
        self.path = path

    def seed(self, count):
        with sqlite3.connect(self.path) as connection:
            (share_type,) = connection.execute("SELECT id FROM share_types WHERE name = 'default'").fetchone()
            connection.executescript(script(count, share_type))
            connection.execute("ANALYZE")
        connection.close()


class Postgres:
    """A database of its own on the server that `scripts/test` started."""

    name = "PostgreSQL"

    def __init__(self, server_url):
        self.server_url = server_url
        self.database = f"abaca_bench_{uuid.uuid4().hex}"
        self.url = f"{server_url.rpartition('/')[0]}/{self.database}"
        self.execute(self.server_url, f"CREATE DATABASE {self.database}")

    def seed(self, count):
        share_type = self.execute(self.url, "SELECT id FROM share_types WHERE name = 'default'").strip()
        self.execute(self.url, script(count, share_type))
        self.execute(self.url, "VACUUM ANALYZE")

    def remove(self):
        self.execute(self.server_url, f"DROP DATABASE {self.database} WITH (FORCE)")

    @staticmethod
    def execute(url, sql):
        return subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
             "--set=ON_ERROR_STOP=1", url],
            input=sql, capture_output=True, text=True, check=True,
        ).stdout
