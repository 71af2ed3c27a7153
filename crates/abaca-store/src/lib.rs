//! The only SQL: one small layer over SQLite, PostgreSQL and MariaDB, and one file per resource.
