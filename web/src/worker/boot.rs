//! From nothing to a running session: the lock, what was kept, the machines.

use std::collections::BTreeMap;

use super::browser;
use crate::engine::Engine;
use crate::storage::{self, Keeper, Loaded, Meta};

/// Another page has the cluster.
pub(super) struct NotOurs;

/// A session that is ready to run.
pub(super) struct Booted {
    pub(super) engine: Engine,
    pub(super) keeper: Keeper,
    /// There were disks.
    pub(super) restored: bool,
}

pub(super) async fn boot() -> Result<Booted, NotOurs> {
    if !browser::lock(storage::NAME).await {
        return Err(NotOurs);
    }
    let wall_ms = js_sys::Date::now().floor();
    match storage::database::load(storage::NAME).await {
        Ok(Loaded {
            database,
            catalog,
            disks,
            meta,
        }) => {
            let restored = !disks.is_empty();
            let meta = meta.unwrap_or_else(|| Meta {
                seed: browser::seed(),
                created_ms: wall_ms,
                clock_ms: wall_ms,
            });
            let seed = session_seed(&meta, wall_ms.max(meta.clock_ms));
            let kept_ms = if restored { meta.clock_ms as i64 } else { 0 };
            Ok(Booted {
                engine: Engine::start(seed, wall_ms as i64, kept_ms, disks),
                keeper: Keeper::new(database, catalog, meta),
                restored,
            })
        }
        Err(error) => Ok(Booted {
            engine: Engine::start(browser::seed() as u64, wall_ms as i64, 0, BTreeMap::new()),
            keeper: Keeper::memory(&error),
            restored: false,
        }),
    }
}

/// Each session of a cluster draws other numbers: ids drawn before a reload must not come again.
fn session_seed(meta: &Meta, start_ms: f64) -> u64 {
    (meta.seed as u64) ^ (start_ms as u64).rotate_left(20)
}
