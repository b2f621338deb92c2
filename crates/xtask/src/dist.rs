//! Lays out `dist/`: a folder that any static host serves under any path.
//!
//! `index.html` is written as Trunk reads it (`<link data-trunk ...>`); here the same tags are replaced. Every address is
//! relative. Names carry a hash of the content, but for `index.html` and `worker.js`, whose names are contracts.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps;

/// What the page may do. No inline script or style, no other origin, no form, no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     connect-src 'self'; worker-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/// The call that starts a module, behind its glue: glue of `--target web` does not start itself.
const START: &str = "\n__wbg_init();\n";

/// Where the page is laid out.
pub fn folder() -> PathBuf {
    steps::root().join("dist")
}

/// Lays out `dist/` from `index.html` and the glue of the page and the worker.
pub fn lay_out(glue: &Path) -> Result<()> {
    let root = steps::root();
    let source = fs::read_to_string(root.join("index.html")).context("index.html")?;
    // Laid out beside, then renamed, so that a server never sees half of it.
    let staging = root.join("target/dist.new");
    let dist = folder();
    for old in [&staging, &dist] {
        if old.exists() && old != &dist {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir_all(&staging)?;
    let html = replace_tags(&without_comments(&source), |tag| {
        replace_tag(tag, &root, glue, &staging)
    })?;
    fs::write(staging.join("index.html"), with_policy(&html)?)?;
    let snippets = glue.join("snippets");
    if snippets.is_dir() {
        copy_folder(&snippets, &staging.join("snippets"))?;
    }
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(&staging, &dist).context("dist/")?;
    Ok(())
}

/// Appends the starting call to the worker that Trunk made, in the folder where Trunk stages its output.
pub fn start_trunk_worker() -> Result<()> {
    let staging = std::env::var_os("TRUNK_STAGING_DIR")
        .context("TRUNK_STAGING_DIR is not set: this is a hook that Trunk runs")?;
    let path = Path::new(&staging).join("worker.js");
    let mut text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    text.push_str(START);
    fs::write(path, text)?;
    Ok(())
}

/// What one `<link data-trunk>` becomes.
fn replace_tag(tag: &Tag, root: &Path, glue: &Path, staging: &Path) -> Result<String> {
    let href = || tag.get("href").context("a data-trunk link without href");
    match (tag.get("rel"), tag.get("data-bin"), tag.get("data-type")) {
        (Some("css"), _, _) => {
            let bytes = fs::read(root.join(href()?)).with_context(|| format!("{:?}", href()))?;
            let name = format!("page-{}.css", hash(&bytes));
            fs::write(staging.join(&name), bytes)?;
            Ok(format!("<link rel=\"stylesheet\" href=\"./{name}\">"))
        }
        (Some("rust"), Some(binary), None) => {
            let module = put_module(binary, glue, staging)?;
            let script = put_glue(binary, &module, glue, staging, true)?;
            Ok(format!(
                "<link rel=\"preload\" href=\"./{module}\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n    \
                 <script type=\"module\" src=\"./{script}\"></script>"
            ))
        }
        (Some("rust"), Some(binary), Some("worker")) => {
            let module = put_module(binary, glue, staging)?;
            put_glue(binary, &module, glue, staging, false)?;
            // The worker fetches its module itself: it would not use what the page preloads.
            Ok(String::new())
        }
        (Some("copy-file"), _, _) => {
            let from = root.join(href()?);
            let name = from.file_name().context("a file to copy has no name")?;
            fs::copy(&from, staging.join(name)).with_context(|| from.display().to_string())?;
            Ok(String::new())
        }
        (rel, _, _) => bail!("index.html: a data-trunk link of a kind not known here: {rel:?}"),
    }
}

/// Copies a compiled module; its hashed name.
fn put_module(binary: &str, glue: &Path, staging: &Path) -> Result<String> {
    let bytes = fs::read(glue.join(format!("{binary}_bg.wasm")))?;
    let name = format!("{binary}-{}.wasm", hash(&bytes));
    fs::write(staging.join(&name), bytes)?;
    Ok(name)
}

/// Writes a module's glue, which loads `module` and starts it; its name.
fn put_glue(
    binary: &str,
    module: &str,
    glue: &Path,
    staging: &Path,
    hashed: bool,
) -> Result<String> {
    let text = fs::read_to_string(glue.join(format!("{binary}.js")))?;
    let address = format!("new URL('{binary}_bg.wasm', import.meta.url)");
    if !text.contains(&address) {
        bail!("the glue of {binary} does not load its module as expected");
    }
    let mut text = text.replace(&address, &format!("new URL('{module}', import.meta.url)"));
    text.push_str(START);
    let name = if hashed {
        format!("{binary}-{}.js", hash(text.as_bytes()))
    } else {
        format!("{binary}.js")
    };
    fs::write(staging.join(&name), text)?;
    Ok(name)
}

/// The attributes of one tag.
struct Tag(Vec<(String, String)>);

impl Tag {
    /// Reads the attributes of `<name a="b" c>`.
    fn parse(text: &str) -> Self {
        let mut attributes = Vec::new();
        let mut rest = text.trim_start_matches('<').trim_end_matches('>');
        rest = rest
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest);
        while !rest.trim_start().is_empty() {
            rest = rest.trim_start();
            let end = rest
                .find(|c: char| c == '=' || c.is_whitespace())
                .unwrap_or(rest.len());
            let name = rest[..end].to_owned();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').unwrap_or(quoted.len());
                value = quoted[..end].to_owned();
                rest = quoted.get(end + 1..).unwrap_or("");
            } else if let Some(after) = rest.strip_prefix('=') {
                rest = after;
            }
            attributes.push((name, value));
        }
        Self(attributes)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }
}

/// Replaces each tag that has the attribute `data-trunk`.
fn replace_tags(html: &str, mut replace: impl FnMut(&Tag) -> Result<String>) -> Result<String> {
    let mut result = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<link ") {
        let end = start
            + rest[start..]
                .find('>')
                .context("index.html: `<link` without `>`")?
            + 1;
        let tag = Tag::parse(&rest[start..end]);
        result.push_str(&rest[..start]);
        if tag.get("data-trunk").is_some() {
            result.push_str(&replace(&tag)?);
        } else {
            result.push_str(&rest[start..end]);
        }
        rest = &rest[end..];
    }
    result.push_str(rest);
    Ok(result)
}

fn without_comments(html: &str) -> String {
    let mut result = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<!--") {
        result.push_str(before.trim_end_matches(' '));
        rest = after
            .split_once("-->")
            .map_or("", |(_, after)| after.strip_prefix('\n').unwrap_or(after));
    }
    result.push_str(rest);
    result
}

/// Puts the policy right behind the character set, before anything that it governs.
fn with_policy(html: &str) -> Result<String> {
    let mark = "<meta charset=\"utf-8\">";
    let (before, after) = html
        .split_once(mark)
        .with_context(|| format!("index.html: no `{mark}`"))?;
    Ok(format!(
        "{before}{mark}\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{CONTENT_SECURITY_POLICY}\">{after}"
    ))
}

/// FNV-1a, 64 bits: names only need to differ when the content does.
fn hash(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut text = String::new();
    write!(text, "{hash:016x}").ok();
    text
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Prints the size of each file of the page: as it is, with gzip, with brotli.
pub fn print_sizes() -> Result<()> {
    let script = steps::root().join("tests/e2e/sizes.mjs");
    steps::run(Command::new("node").arg(script).arg(folder()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_trunk_are_replaced_and_others_stay() {
        let html =
            "<link rel=\"icon\" href=\"data:,\"><link data-trunk rel=\"css\" href=\"a.css\">!";
        let replaced = replace_tags(html, |tag| {
            assert_eq!(tag.get("rel"), Some("css"));
            Ok(format!("[{}]", tag.get("href").unwrap_or_default()))
        });
        assert_eq!(
            replaced.ok().as_deref(),
            Some("<link rel=\"icon\" href=\"data:,\">[a.css]!")
        );
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(without_comments("a\n  <!-- b\n c -->\nd"), "a\nd");
    }

    #[test]
    fn the_policy_stands_before_all_that_it_governs() {
        let page = with_policy("<meta charset=\"utf-8\"><script>").unwrap_or_default();
        let policy = page.find("Content-Security-Policy");
        assert!(policy.is_some() && policy < page.find("<script>"));
        assert!(with_policy("<head>").is_err());
    }

    #[test]
    fn content_decides_the_name() {
        assert_eq!(hash(b""), "cbf29ce484222325");
        assert_eq!(hash(b"a"), "af63dc4c8601ec8c");
    }
}
