//! The page.

fn main() {
    playground_web::page::start();
}
