//! The engine's worker.

fn main() {
    playground_web::worker::start();
}
