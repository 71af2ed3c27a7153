//! Backends under test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use abaca_drivers::conformance::Subject;
use abaca_drivers::{AccessType, BuildError, Driver, Settings, build};
use async_trait::async_trait;
use serde_json::json;

pub(crate) fn settings(value: serde_json::Value) -> Settings {
    value.as_object().unwrap().clone()
}

/// The directory backend in `ROOT/backend`, or another driver of its kind.
pub(crate) struct DirectorySubject {
    pub(crate) driver: &'static str,
    pub(crate) root: PathBuf,
}

impl DirectorySubject {
    pub(crate) fn under(top: &Path) -> Self {
        Self { driver: "directory", root: top.join("backend") }
    }
}

#[async_trait]
impl Subject for DirectorySubject {
    async fn open(&self) -> Result<Arc<dyn Driver>, BuildError> {
        let settings = settings(json!({ "root": self.root, "replication_type": "readable" }));
        build(self.driver, &settings).await
    }

    fn local_path(&self, location: &str) -> Option<PathBuf> {
        Some(location.into())
    }

    fn refused_client(&self) -> Option<(AccessType, &'static str)> {
        Some((AccessType::Cephx, "alice"))
    }

    fn leftovers(&self) -> Vec<String> {
        leftovers(&self.root)
    }
}

/// Everything in a directory backend but its marks and parts.
pub(crate) fn leftovers(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["shares", "snapshots", "import", "tmp", "trash", "locks"] {
        for entry in std::fs::read_dir(root.join(part)).unwrap() {
            found.push(entry.unwrap().path().display().to_string());
        }
    }
    for entry in std::fs::read_dir(root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let parts = ["shares", "snapshots", "import", "tmp", "trash", "locks", ".abaca"];
        if !parts.contains(&name.as_str()) {
            found.push(name);
        }
    }
    found
}

/// Whom the simulated backend refuses.
const REFUSED: (AccessType, &str) = (AccessType::User, "mallory");

/// The simulated backend, with its objects in a file.
pub(crate) struct SimulatedSubject {
    pub(crate) state_file: PathBuf,
}

#[async_trait]
impl Subject for SimulatedSubject {
    async fn open(&self) -> Result<Arc<dyn Driver>, BuildError> {
        let (_, client) = REFUSED;
        let fault = json!({ "method": "apply_access", "fail": "refuse", "access_to": client });
        let pool = json!({ "name": "simulated", "replication_type": "writable" });
        let value = json!({ "state_file": self.state_file, "fault": [fault], "pools": [pool] });
        build("simulated", &settings(value)).await
    }

    fn local_path(&self, _location: &str) -> Option<PathBuf> {
        None
    }

    fn refused_client(&self) -> Option<(AccessType, &'static str)> {
        Some(REFUSED)
    }

    fn leftovers(&self) -> Vec<String> {
        Vec::new()
    }
}
