//! The project that a command is about: its file, its directory, its name.

/// A project's name: what the file says, or its directory's last part, in the letters that compose allows.
pub fn project_name(named: Option<&str>, directory: &str) -> String {
    let name = named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| directory.rsplit('/').next().unwrap_or_default());
    let name: String = name
        .chars()
        .map(|character| character.to_ascii_lowercase())
        .filter(|character| character.is_ascii_alphanumeric() || "-_".contains(*character))
        .collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() {
        "default".to_owned()
    } else {
        name.to_owned()
    }
}
