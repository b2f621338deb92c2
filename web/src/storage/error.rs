//! Why the browser does not keep the cluster, in words for the person in front of it.

use wasm_bindgen::JsValue;

/// Why storage failed. The session goes on in memory; what was kept before stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// The browser gives no IndexedDB here.
    Refused(String),
    /// The database is of a later version of this page.
    Newer,
    /// Another page holds the database and does not let go.
    Blocked,
    /// The browser's limit is reached.
    Full,
    /// Another session took the database over.
    Fenced,
    /// The database was deleted under us.
    Wiped,
    /// What was kept cannot be read.
    Unreadable(String),
    /// Anything else, in the browser's words.
    Other(String),
}

impl StorageError {
    /// From what the browser threw.
    pub fn from_js(value: &JsValue) -> StorageError {
        let text = |name: &str| {
            js_sys::Reflect::get(value, &JsValue::from_str(name))
                .ok()
                .and_then(|value| value.as_string())
                .unwrap_or_default()
        };
        let (name, message) = (text("name"), text("message"));
        match name.as_str() {
            "QuotaExceededError" => StorageError::Full,
            "VersionError" => StorageError::Newer,
            "SecurityError" => StorageError::Refused(message),
            "InvalidStateError" | "NotFoundError" => StorageError::Wiped,
            _ if name.is_empty() => StorageError::Other(
                value
                    .as_string()
                    .unwrap_or_else(|| "no reason given".into()),
            ),
            _ => StorageError::Other(format!("{name}: {message}")),
        }
    }
}

impl std::fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            StorageError::Refused(why) if why.is_empty() => {
                "This browser does not let the page keep data."
            }
            StorageError::Refused(why) => {
                return write!(
                    formatter,
                    "This browser does not let the page keep data ({why}). The session is in memory only."
                );
            }
            StorageError::Newer => {
                "What is kept here was written by a newer version of this page. It is left as it is; this session is in memory only."
            }
            StorageError::Blocked => {
                "Another tab holds what is kept here. It is left as it is; this session is in memory only."
            }
            StorageError::Full => {
                "The browser's storage is full. What was kept before is safe; from now on this session is in memory only."
            }
            StorageError::Fenced => {
                "Another tab took over what is kept. This session is in memory only."
            }
            StorageError::Wiped => {
                "The browser removed what was kept. This session goes on in memory only."
            }
            StorageError::Unreadable(why) => {
                return write!(
                    formatter,
                    "What is kept cannot be read ({why}). It is left as it is; this session is in memory only."
                );
            }
            StorageError::Other(why) => {
                return write!(
                    formatter,
                    "Keeping failed ({why}). What was kept before is safe; this session is in memory only."
                );
            }
        };
        formatter.write_str(text)
    }
}
