//! The database in a real browser: what is kept comes back, whole and in order.
#![cfg(target_arch = "wasm32")]

use std::collections::BTreeMap;

use playground_log::Disk;
use playground_web::storage::{Catalog, Database, Loaded, Meta, StorageError, database};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const META: Meta = Meta {
    seed: 7.0,
    created_ms: 1_000.0,
    clock_ms: 2_000.0,
};

const LOG: &str = "/var/lib/kafka/data/users-0/00000000000000000000.log";

async fn load(name: &str) -> Loaded {
    match database::load(name).await {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error}"),
    }
}

async fn fresh(name: &str) -> Loaded {
    if let Err(error) = database::delete(name).await {
        panic!("{error}");
    }
    load(name).await
}

fn take(catalog: &mut Catalog, disk: &mut Disk) {
    for change in disk.drain_changes() {
        catalog.take("kafka-1", change);
    }
}

/// Keeps what the disk emitted, as the worker does.
async fn keep(database: &Database, catalog: &mut Catalog, disk: &mut Disk) {
    take(catalog, disk);
    assert_eq!(database.keep(&catalog.batch(), META).await, Ok(()));
}

fn same(disk: &Disk, disks: &BTreeMap<String, Disk>) {
    let loaded = disks.get("kafka-1").cloned().unwrap_or_default();
    assert_eq!(disk.snapshot(), loaded.snapshot());
}

#[wasm_bindgen_test]
async fn what_is_kept_comes_back() {
    let mut loaded = fresh("test-roundtrip").await;
    assert!(loaded.disks.is_empty());
    assert_eq!(loaded.meta, None);
    let (database, catalog) = (&loaded.database, &mut loaded.catalog);
    let mut disk = Disk::new();
    for round in 0..200u32 {
        disk.append(LOG, &vec![round as u8; 700]);
        if round % 50 == 0 {
            disk.append(LOG, &vec![round as u8; 150_000]);
        }
        disk.write(
            "/var/lib/kafka/data/recovery-point",
            round.to_string().as_bytes(),
        );
        keep(database, catalog, &mut disk).await;
    }
    disk.truncate(LOG, 333_333);
    disk.append(LOG, b"after the cut");
    disk.rename("/var/lib/kafka/data/users-0", "/var/lib/kafka/data/users-1");
    disk.write("/tmp/gone", b"x");
    disk.write("/home/user/users.log", "한글\n".as_bytes());
    keep(database, catalog, &mut disk).await;
    // The next file's rows stand right behind those that go.
    disk.delete("/tmp");
    disk.flush("/home/user/users.log");
    keep(database, catalog, &mut disk).await;
    database.close();

    let again = load("test-roundtrip").await;
    same(&disk, &again.disks);
    assert_eq!(again.meta, Some(META));
    again.database.close();
}

#[wasm_bindgen_test]
async fn many_rows_are_read_in_slices() {
    let mut loaded = fresh("test-many").await;
    let mut disk = Disk::new();
    for file in 0..700u32 {
        disk.append(&format!("/data/t-{file}/log"), &[file as u8; 64]);
    }
    keep(&loaded.database, &mut loaded.catalog, &mut disk).await;
    loaded.database.close();
    let again = load("test-many").await;
    same(&disk, &again.disks);
    again.database.close();
}

#[wasm_bindgen_test]
async fn a_later_session_fences_an_earlier_one() {
    let mut loaded = fresh("test-fence").await;
    let mut disk = Disk::new();
    disk.append(LOG, b"kept");
    keep(&loaded.database, &mut loaded.catalog, &mut disk).await;
    let kept = disk.clone();

    let later = load("test-fence").await;
    disk.append(LOG, b" lost");
    take(&mut loaded.catalog, &mut disk);
    let batch = loaded.catalog.batch();
    assert_eq!(
        loaded.database.keep(&batch, META).await,
        Err(StorageError::Fenced)
    );
    loaded.database.close();
    later.database.close();
    let again = load("test-fence").await;
    same(&kept, &again.disks);
    again.database.close();
}

#[wasm_bindgen_test]
async fn a_database_that_is_deleted_is_noticed() {
    let mut loaded = fresh("test-wiped").await;
    let mut disk = Disk::new();
    disk.append(LOG, b"kept");
    keep(&loaded.database, &mut loaded.catalog, &mut disk).await;
    // The version change closes the connection, so this is not blocked.
    assert_eq!(database::delete("test-wiped").await, Ok(()));
    disk.append(LOG, b"more");
    take(&mut loaded.catalog, &mut disk);
    let batch = loaded.catalog.batch();
    assert_eq!(
        loaded.database.keep(&batch, META).await,
        Err(StorageError::Wiped)
    );
}
