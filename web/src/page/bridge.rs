//! The page's end of the worker.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Url, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::protocol::{self, FromWorker, ToWorker};

/// The running worker. Dropping it ends the worker.
pub struct Bridge {
    worker: Worker,
    /// What waits until the worker listens.
    waiting: Rc<RefCell<Option<Vec<ToWorker>>>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

impl Bridge {
    /// Starts the worker beside the page.
    ///
    /// # Errors
    /// The browser's, when it cannot start a module worker.
    pub fn start(receive: Callback<FromWorker>) -> Result<Bridge, JsValue> {
        let base = gloo::utils::document().base_uri()?.unwrap_or_default();
        let url = Url::new_with_base("./worker.js", &base)?;
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&url.href(), &options)?;
        let failed = receive.clone();
        let waiting = Rc::new(RefCell::new(Some(vec![ToWorker::Boot {
            version: protocol::VERSION,
        }])));
        let (queue, target) = (Rc::clone(&waiting), worker.clone());
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            match protocol::from_js::<FromWorker>(event.data()) {
                Ok(FromWorker::Listening) => {
                    let early = queue.borrow_mut().take().unwrap_or_default();
                    early.iter().for_each(|message| post(&target, message));
                }
                Ok(message) => receive.emit(message),
                Err(_) => receive.emit(FromWorker::Failed {
                    message:
                        "The page and its engine are of different versions. Load the page again."
                            .to_owned(),
                }),
            }
        });
        let on_error = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            let message = js_sys::Reflect::get(&event, &JsValue::from_str("message"))
                .ok()
                .and_then(|message| message.as_string())
                .unwrap_or_else(|| "it could not be loaded".to_owned());
            failed.emit(FromWorker::Failed {
                message: format!("The engine stopped: {message}"),
            });
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Bridge {
            worker,
            waiting,
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Sends a message.
    pub fn send(&self, message: &ToWorker) {
        match self.waiting.borrow_mut().as_mut() {
            Some(waiting) => waiting.push(message.clone()),
            None => post(&self.worker, message),
        }
    }
}

fn post(worker: &Worker, message: &ToWorker) {
    if let Ok(value) = protocol::to_js(message) {
        let _ = worker.post_message(&value);
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
