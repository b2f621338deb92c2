//! The page: terminals on one side, the picture of the cluster on the other. It draws what the worker
//! sends, and keeps nothing of the cluster itself.

mod advice;
mod app;
mod bar;
mod bridge;
mod dom;
mod format;
mod panel;
mod stage;
mod terminal;

/// Draws the page into the document.
pub fn start() {
    if let Some(root) = dom::element("app") {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
