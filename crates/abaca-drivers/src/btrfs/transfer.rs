//! Brings the bytes of a share or snapshot over from another btrfs file system, by send and receive.
//!
//! What was sent last of a share stays on both sides as a read-only snapshot, `sent-REPLICA-TIME`
//! beside its bytes there and `base-TIME` beside the replica's here, so that only what changed since
//! is sent; after a promotion also in the other direction. A killed transfer is begun anew from
//! there. The command checks each part of the stream by its checksum, and what arrived whole is
//! marked by the id of what was sent.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use uuid::Uuid;

use super::NAME;
use super::command::{change, look, path_of, pipe};
use super::subvolumes::subvolumes_in;
use crate::directory::cancel::Cancel;
use crate::directory::failure::{FsError, FsResult};
use crate::directory::medium::{DATA, Replica};
use crate::directory::sys;

/// What the command calls the ids of a subvolume.
const OWN: &str = "UUID:";
const RECEIVED: &str = "Received UUID:";

/// Each update renews them, and a deletion removes them: what nobody renewed for so long belongs to
/// something that is gone, and only holds space. Longer than updates are apart, and than one takes.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Makes [`DATA`] in `object` from another file system: read-only for a snapshot.
pub(super) fn transfer(
    object: BorrowedFd<'_>,
    replica: &Replica,
    is_snapshot: bool,
    cancel: &Cancel,
) -> FsResult<()> {
    let common = common(replica)?;
    if is_snapshot {
        // It is read-only as it is, and arrives by its own name.
        return send(replica.source.as_fd(), ".", &common, object, DATA, cancel);
    }
    let Some(origin) = &replica.origin else {
        return Err(FsError::Damaged { what: "the share to be followed is gone".to_owned() });
    };
    let now = now().as_micros();
    let (sent, base) = (format!("{}{now}", sent_to(replica.id)), format!("base-{now}"));
    let from = path_of(replica.source.as_fd());
    change(origin.as_fd(), &["subvolume", "snapshot", "-r", &from, &sent], cancel)?;
    if let Err(error) = send(origin.as_fd(), &sent, &common, object, &sent, cancel) {
        // It holds space; what this leaves, the next transfer removes.
        let _ = change(origin.as_fd(), &["subvolume", "delete", &sent], &Cancel::default());
        return Err(error);
    }
    sys::rename(object, sent.as_str(), object, base.as_str())?;
    change(object, &["subvolume", "snapshot", &base, DATA], cancel)
}

/// Removes what both sides have of a share that is not updated any more from what it was updated from.
pub(super) fn forget(
    object: BorrowedFd<'_>,
    id: Uuid,
    origin: BorrowedFd<'_>,
    cancel: &Cancel,
) -> FsResult<()> {
    for name in subvolumes_in(object)?.iter().filter(|name| name.starts_with("base-")) {
        change(object, &["subvolume", "delete", name], cancel)?;
    }
    let mut common = subvolumes_in(origin)?;
    common.retain(|name| name.starts_with(&sent_to(id)));
    // It may have been the other way round before a promotion.
    let sent = ids(object, "sent-", OWN)?;
    for (name, received) in ids(origin, "base-", RECEIVED)? {
        common.extend(sent.iter().any(|(_, id)| *id == received).then_some(name));
    }
    for name in common {
        change(origin, &["subvolume", "delete", &name], cancel)?;
    }
    Ok(())
}

/// Removes what was kept for updates that do not come any more, beside the bytes of all shares.
pub(super) fn remove_old(top: BorrowedFd<'_>, cancel: &Cancel) -> FsResult<()> {
    let shares = sys::open_directory(top, "shares")?;
    let mut objects = Vec::new();
    sys::read_directory(shares.as_fd(), |name, _| {
        objects.push(name.to_owned());
        Ok(())
    })?;
    for object in objects {
        let object = match sys::open_directory(shares.as_fd(), object.as_c_str()) {
            Err(error) if error.is_gone() => continue,
            opened => opened?,
        };
        for name in subvolumes_in(object.as_fd())?.iter().filter(|name| is_old(name, now())) {
            if let Err(error) = change(object.as_fd(), &["subvolume", "delete", name], cancel) {
                // One that is being sent can't be removed.
                tracing::warn!(driver = NAME, %error, name, "a leftover of replication stays");
            }
        }
    }
    Ok(())
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn is_old(name: &str, now: Duration) -> bool {
    let made = name.rsplit_once('-').and_then(|(_, micros)| micros.parse().ok());
    let is_kept = name.starts_with("sent-") || name.starts_with("base-");
    is_kept && made.is_some_and(|made| now > Duration::from_micros(made) + KEPT_FOR)
}

fn sent_to(replica: Uuid) -> String {
    format!("sent-{replica}-")
}

/// Paths of what both sides have, the likest first.
fn common(replica: &Replica) -> FsResult<Vec<String>> {
    let mut common = Vec::new();
    if let Some((there, here)) = &replica.before
        && sent_id(there.as_fd(), ".")? == id(here.as_fd(), ".", RECEIVED)?
    {
        common.push(path_of(there.as_fd()));
    }
    common.extend(last_sent(replica)?);
    Ok(common)
}

/// The path of what was sent last of the share, if both sides have it. Whatever else was sent to this
/// replica is of no use any more, and removed.
fn last_sent(replica: &Replica) -> FsResult<Option<String>> {
    let (Some(origin), Some(present)) = (&replica.origin, &replica.present) else {
        return Ok(None);
    };
    let (origin, present) = (origin.as_fd(), present.as_fd());
    let received = ids(present, "base-", RECEIVED)?;
    let mut found = None;
    for (name, sent) in ids(origin, &sent_to(replica.id), OWN)? {
        if received.iter().any(|(_, id)| *id == sent) {
            found = Some(name);
        } else {
            change(origin, &["subvolume", "delete", &name], &Cancel::default())?;
        }
    }
    if found.is_none() {
        // It was promoted, and is followed by what it followed.
        let sent = ids(present, "sent-", OWN)?;
        let mut bases = ids(origin, "base-", RECEIVED)?.into_iter();
        found = bases.find(|(_, id)| sent.iter().any(|(_, sent)| sent == id)).map(|(name, _)| name);
    }
    Ok(found.map(|name| format!("{}/{name}", path_of(origin))))
}

/// The subvolumes whose names begin so, each with an id that the file system knows it by.
fn ids(object: BorrowedFd<'_>, prefix: &str, title: &str) -> FsResult<Vec<(String, String)>> {
    let mut ids = Vec::new();
    for name in subvolumes_in(object)? {
        if name.starts_with(prefix)
            && let Some(id) = id(object, &name, title)?
        {
            ids.push((name, id));
        }
    }
    Ok(ids)
}

fn id(directory: BorrowedFd<'_>, name: &str, title: &str) -> FsResult<Option<String>> {
    let said = look(directory, &["subvolume", "show", name])?.output;
    let value = said.lines().find_map(|line| line.trim().strip_prefix(title));
    // A dash stands for none.
    Ok(value.map(|value| value.trim().to_owned()).filter(|value| value.len() > 1))
}

/// The id that what receives this knows it by: what was received itself counts as what it came from.
fn sent_id(directory: BorrowedFd<'_>, name: &str) -> FsResult<Option<String>> {
    match id(directory, name, RECEIVED)? {
        Some(received) => Ok(Some(received)),
        None => id(directory, name, OWN),
    }
}

/// Sends the read-only `name` in `from`; it arrives as `arrives` in `object`.
fn send(
    from: BorrowedFd<'_>,
    name: &str,
    common: &[String],
    object: BorrowedFd<'_>,
    arrives: &str,
    cancel: &Cancel,
) -> FsResult<()> {
    let try_with = |common: &[String]| {
        let mut arguments = vec!["send", "-q"];
        // What differs from the first is sent; what of that the others hold is taken from them.
        let options = std::iter::once("-p").chain(std::iter::repeat("-c"));
        arguments.extend(options.zip(common).flat_map(|(option, path)| [option, path]));
        arguments.push(name);
        pipe((from, &arguments), (object, &["receive", "-q", "."]), cancel)
    };
    match try_with(common) {
        // What both sides had is gone, or was changed by hand.
        Err(error @ FsError::Command { errno: None, .. }) if !common.is_empty() => {
            tracing::warn!(driver = NAME, %error, "sending the whole instead of what changed");
            for part in subvolumes_in(object)? {
                change(object, &["subvolume", "delete", &part], cancel)?;
            }
            try_with(&[])?;
        }
        sent => sent?,
    }
    let sent = sent_id(from, name)?;
    if sent.is_some() && sent == id(object, arrives, RECEIVED)? {
        return Ok(());
    }
    Err(FsError::Command {
        command: "btrfs receive".to_owned(),
        said: format!("{arrives} did not arrive whole"),
        errno: Some(Errno::AGAIN),
    })
}

#[cfg(test)]
mod tests {
    use super::{KEPT_FOR, is_old};
    use std::time::Duration;

    #[test]
    fn only_what_was_kept_for_updates_gets_old() {
        let made = Duration::from_micros(1_700_000_000_000_000);
        let later = made + KEPT_FOR + Duration::from_micros(1);
        for name in ["base-1700000000000000", "sent-some-id-1700000000000000"] {
            assert!(is_old(name, later) && !is_old(name, made + KEPT_FOR), "{name}");
        }
        for name in ["data", "data-1", "base", "base-", "sent-x", "base-99999999999999999999999"] {
            assert!(!is_old(name, later), "{name}");
        }
    }
}
