"""Two backends that hold replicas of each other's shares and take each other's shares over."""

# Their places are in the service's data directory, below their names.
TWO_DIRECTORIES = """
[worker]
host = "w"
[[backend]]
name = "first"
driver = "directory"
replication_domain = "pair"
replication_type = "readable"
[[backend]]
name = "second"
driver = "directory"
availability_zone = "far"
replication_domain = "pair"
replication_type = "readable"
"""
FIRST_POOL = "w@first#directory"
SECOND_POOL = "w@second#directory"
