//! The few things that are asked of the document itself.

use web_sys::{Element, Storage};

/// Where the chosen theme is remembered.
const THEME: &str = "broker-playground-theme";

/// The element of this id.
pub fn element(id: &str) -> Option<Element> {
    gloo::utils::document().get_element_by_id(id)
}

/// Sets a hook that tests read: `document.body.dataset.NAME`.
pub fn hook(name: &str, value: &str) {
    let _ = gloo::utils::body().set_attribute(&format!("data-{name}"), value);
}

/// Loads the page again.
pub fn reload() {
    let _ = gloo::utils::window().location().reload();
}

/// The page is wide enough for two halves.
pub fn width_px() -> f64 {
    gloo::utils::window()
        .inner_width()
        .ok()
        .and_then(|width| width.as_f64())
        .unwrap_or(1024.0)
}

/// Text is selected somewhere, so Ctrl-C means copy.
pub fn has_selection() -> bool {
    gloo::utils::window()
        .get_selection()
        .ok()
        .flatten()
        .is_some_and(|selection| !selection.is_collapsed())
}

fn storage() -> Option<Storage> {
    gloo::utils::window().local_storage().ok().flatten()
}

/// Dark, as chosen or as the system has it.
pub fn is_dark() -> bool {
    match storage().and_then(|storage| storage.get_item(THEME).ok().flatten()) {
        Some(theme) => theme == "dark",
        None => gloo::utils::window()
            .match_media("(prefers-color-scheme: dark)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches()),
    }
}

/// Applies the theme that was chosen earlier.
pub fn restore_theme() {
    if let Some(theme) = storage().and_then(|storage| storage.get_item(THEME).ok().flatten()) {
        set_theme(&theme);
    }
}

/// Switches between light and dark, and remembers it.
pub fn toggle_theme() {
    let theme = if is_dark() { "light" } else { "dark" };
    if let Some(storage) = storage() {
        let _ = storage.set_item(THEME, theme);
    }
    set_theme(theme);
}

fn set_theme(theme: &str) {
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = root.set_attribute("data-theme", theme);
    }
}
