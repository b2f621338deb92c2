//! What the worker asks of its browser: the clocks, entropy for a new cluster's seed, and the lock.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Wall ms that never go back.
pub(super) fn now_ms() -> f64 {
    Reflect::get(&js_sys::global(), &JsValue::from_str("performance"))
        .ok()
        .and_then(|performance| performance.dyn_into::<web_sys::Performance>().ok())
        .map_or_else(js_sys::Date::now, |performance| performance.now())
}

/// The seed of a new cluster: a whole number that a double holds exactly.
pub(super) fn seed() -> f64 {
    (js_sys::Math::random() * 9_007_199_254_740_992.0).floor()
}

/// Takes the lock of this name for as long as the worker lives; false when another page has it. A
/// browser without locks gives it to everybody: the epoch in the database then tells them apart.
pub(super) async fn lock(name: &str) -> bool {
    let granted = Promise::new(&mut |resolve, _reject| {
        let answer = resolve.clone();
        let callback = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |lock: JsValue| {
            let held = !lock.is_null() && !lock.is_undefined();
            let _ = answer.call1(&JsValue::NULL, &JsValue::from_bool(held));
            if held {
                // Never settles: the lock is held until the worker ends.
                Promise::new(&mut |_, _| {})
            } else {
                Promise::resolve(&JsValue::UNDEFINED)
            }
        });
        if request(name, callback.as_ref().unchecked_ref()).is_none() {
            let _ = resolve.call1(&JsValue::NULL, &JsValue::TRUE);
        }
        callback.forget();
    });
    JsFuture::from(granted)
        .await
        .is_ok_and(|granted| granted.is_truthy())
}

fn request(name: &str, callback: &Function) -> Option<()> {
    let get = |target: &JsValue, name: &str| Reflect::get(target, &JsValue::from_str(name)).ok();
    let navigator = get(&js_sys::global(), "navigator")?;
    let locks = get(&navigator, "locks").filter(|locks| locks.is_object())?;
    let request: Function = get(&locks, "request")?.dyn_into().ok()?;
    let options = Object::new();
    Reflect::set(&options, &JsValue::from_str("ifAvailable"), &JsValue::TRUE).ok()?;
    request
        .call3(&locks, &JsValue::from_str(name), &options, callback)
        .ok()?;
    Some(())
}
