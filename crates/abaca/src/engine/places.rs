//! Bulkheads: what is at work for one service takes no place of another's, and what copies for hours
//! takes none of those in which its service does everything else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config::WorkerConfig;

/// What has places of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Room {
    /// `None`: what any worker may do, such as placing shares.
    service: Option<String>,
    /// For copies that may take hours.
    copies: bool,
}

/// How many operations are at work, and how many may be.
pub(super) struct Places {
    concurrency: usize,
    copy_concurrency: usize,
    taken: Mutex<BTreeMap<Room, usize>>,
    /// Told when a place becomes free.
    freed: Arc<Notify>,
}

impl Places {
    pub(super) fn new(settings: &WorkerConfig, freed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            concurrency: settings.concurrency as usize,
            copy_concurrency: settings.copy_concurrency as usize,
            taken: Mutex::default(),
            freed,
        })
    }

    /// Whether another operation of this service may begin.
    pub(super) fn has_room(&self, service: Option<&str>) -> bool {
        let room = Room { service: service.map(str::to_owned), copies: false };
        self.is_free(&self.taken(), &room)
    }

    /// The place of an operation that was claimed for this service, which had room. It may be one too
    /// many, when another operation went on to this service in between.
    pub(super) fn take(self: &Arc<Self>, service: Option<&str>) -> Place {
        let room = Room { service: service.map(str::to_owned), copies: false };
        *self.taken().entry(room.clone()).or_default() += 1;
        Place { places: Arc::clone(self), room: Mutex::new(room) }
    }

    fn is_free(&self, taken: &BTreeMap<Room, usize>, room: &Room) -> bool {
        let most = if room.copies { self.copy_concurrency } else { self.concurrency };
        taken.get(room).copied().unwrap_or_default() < most
    }

    fn give_up(&self, taken: &mut BTreeMap<Room, usize>, room: &Room) {
        if let Some(count) = taken.get_mut(room) {
            *count -= 1;
        }
        self.freed.notify_one();
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<Room, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one operation, free again when it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    room: Mutex<Room>,
}

impl Place {
    /// Goes on to a place of this service; `false`: it has none free.
    pub(super) fn go_on_to(&self, service: &str) -> bool {
        self.exchange(Room { service: Some(service.to_owned()), copies: false })
    }

    /// Goes on to a place for copies, and leaves the one it had to others; `false`: none is free.
    pub(super) fn go_on_to_copy(&self) -> bool {
        let service = self.room().service.clone();
        self.exchange(Room { service, copies: true })
    }

    fn exchange(&self, next: Room) -> bool {
        let mut room = self.room();
        if *room == next {
            return true;
        }
        let mut taken = self.places.taken();
        if !self.places.is_free(&taken, &next) {
            return false;
        }
        *taken.entry(next.clone()).or_default() += 1;
        self.places.give_up(&mut taken, &room);
        *room = next;
        true
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let room = self.room();
        self.places.give_up(&mut self.places.taken(), &room);
    }
}
