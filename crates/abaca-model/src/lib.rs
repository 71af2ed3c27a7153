//! The words of the service: ids, records, statuses, quota arithmetic, scheduling. No I/O.
