//! The IndexedDB database: one transaction to load, one per batch to keep.
//!
//! Stores: `meta` (by name), `files` (by [host, path]: `[number, length]`, or `null` for a directory),
//! `chunks` (by [file number, position]: a `Uint8Array`).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use playground_log::Disk;
use wasm_bindgen::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction,
};

use super::catalog::{Batch, Catalog, EntryKey, EntryRow};
use super::error::StorageError;

/// The layout's version.
pub const VERSION: u32 = 1;

/// Rows read at once while loading.
const LOAD_ROWS_MAX: u32 = 256;

/// The browser has this long to open the database, ms.
const OPEN_TIMEOUT_MS: i32 = 5_000;

const META: &str = "meta";
const FILES: &str = "files";
const CHUNKS: &str = "chunks";

/// What is kept beside the disks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meta {
    /// Everything random in the session comes from it.
    pub seed: f64,
    /// When the cluster was made, virtual ms.
    pub created_ms: f64,
    /// The virtual time of the last transaction, ms: it never goes back.
    pub clock_ms: f64,
}

/// An open database that this session owns.
pub struct Database {
    database: IdbDatabase,
    epoch: f64,
    lost: Rc<Cell<bool>>,
    // Kept alive as long as the database may call them.
    _on_close: Closure<dyn FnMut()>,
    _on_version_change: Closure<dyn FnMut()>,
}

/// What was kept.
pub struct Loaded {
    /// The database, owned by this session from now on.
    pub database: Database,
    /// What it holds.
    pub catalog: Catalog,
    /// The disks by host.
    pub disks: BTreeMap<String, Disk>,
    /// None in a new database.
    pub meta: Option<Meta>,
}

/// Opens the database, takes it over, and reads everything.
///
/// # Errors
/// [`StorageError`]; then nothing was changed.
pub async fn load(name: &str) -> Result<Loaded, StorageError> {
    let database = open(name).await?;
    let lost = Rc::new(Cell::new(false));
    let on_close = flag(&lost, None);
    let on_version_change = flag(&lost, Some(database.clone()));
    database.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    database.set_onversionchange(Some(on_version_change.as_ref().unchecked_ref()));

    let transaction = transaction(&database, "readwrite", "relaxed")?;
    let done = settled(&transaction);
    let meta_store = store(&transaction, META)?;
    let epoch = number(&get(&meta_store, "epoch").await?).unwrap_or(0.0) + 1.0;
    put(&meta_store, "epoch", &JsValue::from_f64(epoch))?;
    let meta = read_meta(&get(&meta_store, "cluster").await?);
    let entries = read_entries(&store(&transaction, FILES)?).await?;
    let rows = read_rows(&store(&transaction, CHUNKS)?).await?;
    done.await?;

    let (catalog, disks) = Catalog::load(entries, rows);
    Ok(Loaded {
        database: Database {
            database,
            epoch,
            lost,
            _on_close: on_close,
            _on_version_change: on_version_change,
        },
        catalog,
        disks,
        meta,
    })
}

/// Deletes the database.
///
/// # Errors
/// [`StorageError::Blocked`] when another page holds it.
pub async fn delete(name: &str) -> Result<(), StorageError> {
    let request = factory()?
        .delete_database(name)
        .map_err(|error| js(&error))?;
    opened(&request).await.map(|_| ())
}

impl Database {
    /// Keeps a batch and the clock, all or nothing.
    ///
    /// # Errors
    /// [`StorageError`]; then nothing of it was kept.
    pub async fn keep(&self, batch: &Batch, meta: Meta) -> Result<(), StorageError> {
        if self.lost.get() {
            return Err(StorageError::Wiped);
        }
        let durability = if batch.strict { "strict" } else { "relaxed" };
        let transaction = transaction(&self.database, "readwrite", durability)?;
        let done = settled(&transaction);
        let meta_store = store(&transaction, META)?;
        match number(&get(&meta_store, "epoch").await?) {
            Some(epoch) if epoch == self.epoch => {}
            other => {
                // The outcome of a transaction without writes does not matter.
                let _ = transaction.abort();
                let _ = done.await;
                return Err(match other {
                    Some(_) => StorageError::Fenced,
                    None => StorageError::Wiped,
                });
            }
        }
        let row = Array::of3(
            &JsValue::from_f64(meta.seed),
            &JsValue::from_f64(meta.created_ms),
            &JsValue::from_f64(meta.clock_ms),
        );
        put(&meta_store, "cluster", &row)?;
        let chunks = store(&transaction, CHUNKS)?;
        for (file, from) in &batch.removed {
            // Up to the next file's first row, and without it.
            let range = IdbKeyRange::bound_with_lower_open_and_upper_open(
                &row_key(*file, *from),
                &row_key(*file + 1, 0),
                false,
                true,
            )
            .map_err(|error| js(&error))?;
            chunks.delete(&range).map_err(|error| js(&error))?;
        }
        for ((file, position), bytes) in &batch.rows {
            chunks
                .put_with_key(&Uint8Array::from(&bytes[..]), &row_key(*file, *position))
                .map_err(|error| js(&error))?;
        }
        let files = store(&transaction, FILES)?;
        for ((host, path), entry) in &batch.entries {
            let key = Array::of2(&JsValue::from_str(host), &JsValue::from_str(path));
            match entry {
                None => files.delete(&key),
                Some(EntryRow::Directory) => files.put_with_key(&JsValue::NULL, &key),
                Some(EntryRow::File { file, length }) => files.put_with_key(
                    &Array::of2(
                        &JsValue::from_f64(*file as f64),
                        &JsValue::from_f64(*length as f64),
                    ),
                    &key,
                ),
            }
            .map_err(|error| js(&error))?;
        }
        done.await
    }

    /// Lets go of the database.
    pub fn close(&self) {
        self.database.close();
    }
}

fn js(value: &JsValue) -> StorageError {
    StorageError::from_js(value)
}

fn flag(lost: &Rc<Cell<bool>>, close: Option<IdbDatabase>) -> Closure<dyn FnMut()> {
    let lost = Rc::clone(lost);
    Closure::new(move || {
        lost.set(true);
        if let Some(database) = &close {
            database.close();
        }
    })
}

fn factory() -> Result<IdbFactory, StorageError> {
    Reflect::get(&js_sys::global(), &JsValue::from_str("indexedDB"))
        .map_err(|error| js(&error))?
        .dyn_into::<IdbFactory>()
        .map_err(|_| StorageError::Refused(String::new()))
}

async fn open(name: &str) -> Result<IdbDatabase, StorageError> {
    let request = factory()?
        .open_with_u32(name, VERSION)
        .map_err(|error| js(&error))?;
    let upgraded = request.clone();
    let on_upgrade = Closure::<dyn FnMut()>::new(move || {
        // Version 0 is a new database. A later layout reads the older ones here.
        if let Ok(Ok(database)) = upgraded.result().map(JsCast::dyn_into::<IdbDatabase>) {
            for store in [META, FILES, CHUNKS] {
                if !database.object_store_names().contains(store) {
                    let _ = database.create_object_store(store);
                }
            }
        }
    });
    request.set_onupgradeneeded(Some(on_upgrade.as_ref().unchecked_ref()));
    let database = opened(&request).await?;
    database
        .dyn_into::<IdbDatabase>()
        .map_err(|_| StorageError::Other("no database".to_owned()))
}

/// Waits for an open or delete request; a blocked one fails, and so does one that never answers.
async fn opened(request: &IdbOpenDbRequest) -> Result<JsValue, StorageError> {
    let blocked = Closure::<dyn FnMut(JsValue)>::new(|_| {});
    let mut slot = None;
    let promise = Promise::new(&mut |resolve, reject| {
        slot = Some((resolve, reject));
    });
    let Some((resolve, reject)) = slot else {
        return Err(StorageError::Blocked);
    };
    let (of, refuse) = (request.clone(), reject.clone());
    let on_success = Closure::<dyn FnMut()>::new(move || {
        let value = of.result().unwrap_or(JsValue::UNDEFINED);
        let _ = resolve.call1(&JsValue::NULL, &value);
    });
    let on_error = failing(request, reject);
    let on_blocked = Closure::<dyn FnMut()>::new(move || {
        let _ = refuse.call1(&JsValue::NULL, &JsValue::from_str("blocked"));
    });
    request.set_onsuccess(Some(on_success.as_ref().unchecked_ref()));
    request.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    request.set_onblocked(Some(on_blocked.as_ref().unchecked_ref()));
    let timer = set_timeout(on_blocked.as_ref().unchecked_ref(), OPEN_TIMEOUT_MS);
    let result = JsFuture::from(promise).await;
    clear_timeout(&timer);
    request.set_onsuccess(None);
    request.set_onerror(None);
    request.set_onblocked(None);
    drop(blocked);
    result.map_err(|error| {
        if error.as_string().as_deref() == Some("blocked") {
            StorageError::Blocked
        } else {
            js(&error)
        }
    })
}

fn failing(request: &IdbRequest, reject: Function) -> Closure<dyn FnMut()> {
    let request = request.clone();
    Closure::new(move || {
        let error = request.error().ok().flatten();
        let error = error.map_or(JsValue::UNDEFINED, JsValue::from);
        let _ = reject.call1(&JsValue::NULL, &error);
    })
}

fn set_timeout(callback: &Function, delay_ms: i32) -> JsValue {
    global_function("setTimeout")
        .and_then(|function| {
            function
                .call2(&JsValue::UNDEFINED, callback, &JsValue::from(delay_ms))
                .ok()
        })
        .unwrap_or(JsValue::UNDEFINED)
}

fn clear_timeout(timer: &JsValue) {
    if let Some(function) = global_function("clearTimeout") {
        let _ = function.call1(&JsValue::UNDEFINED, timer);
    }
}

fn global_function(name: &str) -> Option<Function> {
    Reflect::get(&js_sys::global(), &JsValue::from_str(name))
        .ok()?
        .dyn_into()
        .ok()
}

/// A transaction over all stores. `durability` is not in every browser, and then ignored by it.
fn transaction(
    database: &IdbDatabase,
    mode: &str,
    durability: &str,
) -> Result<IdbTransaction, StorageError> {
    let options = Object::new();
    let named = |error: JsValue| js(&error);
    Reflect::set(
        &options,
        &JsValue::from_str("durability"),
        &JsValue::from_str(durability),
    )
    .map_err(named)?;
    let stores = Array::of3(
        &JsValue::from_str(META),
        &JsValue::from_str(FILES),
        &JsValue::from_str(CHUNKS),
    );
    Reflect::get(database, &JsValue::from_str("transaction"))
        .map_err(named)?
        .dyn_into::<Function>()
        .map_err(named)?
        .call3(database, &stores, &JsValue::from_str(mode), &options)
        .map_err(named)?
        .dyn_into::<IdbTransaction>()
        .map_err(named)
}

/// Ends when the transaction does. Call it before the first await on the transaction's requests.
fn settled(transaction: &IdbTransaction) -> impl Future<Output = Result<(), StorageError>> + use<> {
    let transaction = transaction.clone();
    let mut slot = None;
    let promise = Promise::new(&mut |resolve, reject| {
        slot = Some((resolve, reject));
    });
    let handlers = slot.map(|(resolve, reject)| {
        let on_complete = Closure::<dyn FnMut()>::new(move || {
            let _ = resolve.call0(&JsValue::NULL);
        });
        let of = transaction.clone();
        let on_abort = Closure::<dyn FnMut()>::new(move || {
            let error = of.error().map_or(JsValue::UNDEFINED, JsValue::from);
            let _ = reject.call1(&JsValue::NULL, &error);
        });
        transaction.set_oncomplete(Some(on_complete.as_ref().unchecked_ref()));
        transaction.set_onabort(Some(on_abort.as_ref().unchecked_ref()));
        (on_complete, on_abort)
    });
    async move {
        let result = JsFuture::from(promise).await;
        transaction.set_oncomplete(None);
        transaction.set_onabort(None);
        drop(handlers);
        result.map(|_| ()).map_err(|error| js(&error))
    }
}

async fn answered(request: IdbRequest) -> Result<JsValue, StorageError> {
    let mut slot = None;
    let promise = Promise::new(&mut |resolve, reject| {
        slot = Some((resolve, reject));
    });
    let Some((resolve, reject)) = slot else {
        return Err(StorageError::Other("no promise".to_owned()));
    };
    let of = request.clone();
    let on_success = Closure::<dyn FnMut()>::new(move || {
        let _ = resolve.call1(&JsValue::NULL, &of.result().unwrap_or(JsValue::UNDEFINED));
    });
    let on_error = failing(&request, reject);
    request.set_onsuccess(Some(on_success.as_ref().unchecked_ref()));
    request.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    let result = JsFuture::from(promise).await;
    request.set_onsuccess(None);
    request.set_onerror(None);
    result.map_err(|error| js(&error))
}

fn store(transaction: &IdbTransaction, name: &str) -> Result<IdbObjectStore, StorageError> {
    transaction.object_store(name).map_err(|error| js(&error))
}

async fn get(store: &IdbObjectStore, key: &str) -> Result<JsValue, StorageError> {
    let request = store
        .get(&JsValue::from_str(key))
        .map_err(|error| js(&error))?;
    answered(request).await
}

fn put(store: &IdbObjectStore, key: &str, value: &JsValue) -> Result<(), StorageError> {
    store
        .put_with_key(value, &JsValue::from_str(key))
        .map(|_| ())
        .map_err(|error| js(&error))
}

fn row_key(file: u64, position: u64) -> Array {
    Array::of2(
        &JsValue::from_f64(file as f64),
        &JsValue::from_f64(position as f64),
    )
}

fn number(value: &JsValue) -> Option<f64> {
    value.as_f64()
}

/// A number that stands for a count or a position.
fn whole(value: &JsValue) -> Result<u64, StorageError> {
    match value.as_f64() {
        Some(number) if (0.0..=9_007_199_254_740_991.0).contains(&number) => Ok(number as u64),
        _ => Err(StorageError::Unreadable("a number is missing".to_owned())),
    }
}

fn read_meta(value: &JsValue) -> Option<Meta> {
    let row = value.dyn_ref::<Array>()?;
    Some(Meta {
        seed: row.get(0).as_f64()?,
        created_ms: row.get(1).as_f64()?,
        clock_ms: row.get(2).as_f64()?,
    })
}

async fn read_entries(store: &IdbObjectStore) -> Result<Vec<(EntryKey, EntryRow)>, StorageError> {
    let mut entries = Vec::new();
    read_all(store, |key, value| {
        let key = Array::from(key);
        let (Some(host), Some(path)) = (key.get(0).as_string(), key.get(1).as_string()) else {
            return Err(StorageError::Unreadable("a name is missing".to_owned()));
        };
        let row = if value.is_null() {
            EntryRow::Directory
        } else {
            let row = Array::from(value);
            EntryRow::File {
                file: whole(&row.get(0))?,
                length: whole(&row.get(1))?,
            }
        };
        entries.push(((host, path), row));
        Ok(())
    })
    .await?;
    Ok(entries)
}

async fn read_rows(store: &IdbObjectStore) -> Result<Vec<((u64, u64), Bytes)>, StorageError> {
    let mut rows = Vec::new();
    read_all(store, |key, value| {
        let key = Array::from(key);
        let bytes = value
            .dyn_ref::<Uint8Array>()
            .ok_or_else(|| StorageError::Unreadable("bytes are missing".to_owned()))?;
        rows.push((
            (whole(&key.get(0))?, whole(&key.get(1))?),
            Bytes::from(bytes.to_vec()),
        ));
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// Calls `each` with every key and value of a store, in the order of the keys.
async fn read_all(
    store: &IdbObjectStore,
    mut each: impl FnMut(&JsValue, &JsValue) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let mut range = JsValue::UNDEFINED;
    loop {
        let keys = store
            .get_all_keys_with_key_and_limit(&range, LOAD_ROWS_MAX)
            .map_err(|error| js(&error))?;
        let values = store
            .get_all_with_key_and_limit(&range, LOAD_ROWS_MAX)
            .map_err(|error| js(&error))?;
        // The keys were asked for first, so they are there when the values are.
        let of = keys.clone();
        let values = Array::from(&answered(values).await?);
        let keys = Array::from(&of.result().map_err(|error| js(&error))?);
        for (key, value) in keys.iter().zip(values.iter()) {
            each(&key, &value)?;
        }
        if keys.length() < LOAD_ROWS_MAX {
            return Ok(());
        }
        range = IdbKeyRange::lower_bound_with_open(&keys.get(keys.length() - 1), true)
            .map_err(|error| js(&error))?
            .into();
    }
}
