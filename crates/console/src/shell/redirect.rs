//! Redirections.

use playground_sim::{InputStream, OutputStream};

use super::ast::{Redirect, RedirectKind, Word};
use super::{Flow, Shell};
use crate::files;

/// A file descriptor from 3 on.
#[derive(Clone)]
pub(super) enum Descriptor {
    /// Open for reading.
    Input(InputStream),
    /// Open for writing.
    Output(OutputStream),
}

impl Shell {
    /// Applies redirections to the shell's own streams; the caller keeps the old ones and puts them back.
    /// `Ok(false)` when one failed and was complained about.
    pub(super) async fn redirect(&mut self, redirects: &[Redirect]) -> Result<bool, Flow> {
        for redirect in redirects {
            if !self.redirect_one(redirect).await? {
                self.status = 1;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn redirect_one(&mut self, redirect: &Redirect) -> Result<bool, Flow> {
        match &redirect.kind {
            RedirectKind::Read(word) | RedirectKind::ReadWrite(word) => {
                let Some(name) = self.target(word).await? else {
                    return Ok(false);
                };
                let path = self.path(&name);
                if matches!(redirect.kind, RedirectKind::ReadWrite(_))
                    && files::kind(&self.process, &path).is_none()
                    && files::check_writable(&self.process, &path).is_ok()
                {
                    self.process.with_disk(|disk| disk.write(&path, b""));
                }
                match files::open(&self.process, &path, &self.io.stdin) {
                    Ok(stream) => self.set_descriptor(
                        redirect.descriptor.unwrap_or(0),
                        Descriptor::Input(stream),
                    ),
                    Err(error) => {
                        self.complain(&format!("{name}: {error}")).await;
                        return Ok(false);
                    }
                }
            }
            RedirectKind::Write(word) | RedirectKind::Append(word) => {
                let append = matches!(redirect.kind, RedirectKind::Append(_));
                let Some(stream) = self.create(word, append).await? else {
                    return Ok(false);
                };
                self.set_descriptor(redirect.descriptor.unwrap_or(1), Descriptor::Output(stream));
            }
            RedirectKind::WriteBoth(word) | RedirectKind::AppendBoth(word) => {
                let append = matches!(redirect.kind, RedirectKind::AppendBoth(_));
                let Some(stream) = self.create(word, append).await? else {
                    return Ok(false);
                };
                self.io.stdout = stream.clone();
                self.io.stderr = stream;
            }
            RedirectKind::Duplicate(word) => {
                return self.duplicate(redirect.descriptor.unwrap_or(1), word).await;
            }
            RedirectKind::HereDocument(slot) => {
                let text = match slot.get() {
                    Some(word) => self.expand_single(word).await?,
                    None => String::new(),
                };
                let stream = InputStream::from_bytes(text.into_bytes());
                self.set_descriptor(redirect.descriptor.unwrap_or(0), Descriptor::Input(stream));
            }
            RedirectKind::HereString(word) => {
                let text = self.expand_single(word).await? + "\n";
                let stream = InputStream::from_bytes(text.into_bytes());
                self.set_descriptor(redirect.descriptor.unwrap_or(0), Descriptor::Input(stream));
            }
        }
        Ok(true)
    }

    /// The one file that a word names; complains when it names several or none.
    async fn target(&mut self, word: &Word) -> Result<Option<String>, Flow> {
        let mut fields = self.expand_words(std::slice::from_ref(word)).await?;
        if fields.len() == 1 {
            return Ok(fields.pop());
        }
        let text = super::word::remove_quotes(word);
        self.complain(&format!("{text}: ambiguous redirect")).await;
        Ok(None)
    }

    async fn create(&mut self, word: &Word, append: bool) -> Result<Option<OutputStream>, Flow> {
        let Some(name) = self.target(word).await? else {
            return Ok(None);
        };
        let path = self.path(&name);
        if self.options.no_clobber
            && !append
            && files::kind(&self.process, &path) == Some(files::FileKind::File)
        {
            self.complain(&format!("{name}: cannot overwrite existing file"))
                .await;
            return Ok(None);
        }
        let error = if name.is_empty() {
            files::FileError::NotFound
        } else {
            match files::create(&self.process, &path, append, &self.io) {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) => error,
            }
        };
        self.complain(&format!("{name}: {error}")).await;
        Ok(None)
    }

    async fn duplicate(&mut self, descriptor: u32, word: &Word) -> Result<bool, Flow> {
        let text = self.expand_single(word).await?;
        if text == "-" {
            match descriptor {
                0 => self.io.stdin = InputStream::null(),
                1 => self.io.stdout = OutputStream::null(),
                2 => self.io.stderr = OutputStream::null(),
                other => {
                    self.descriptors.remove(&other);
                }
            }
            return Ok(true);
        }
        let source = match text.parse::<u32>() {
            Ok(0) => Some(Descriptor::Input(self.io.stdin.clone())),
            Ok(1) => Some(Descriptor::Output(self.io.stdout.clone())),
            Ok(2) => Some(Descriptor::Output(self.io.stderr.clone())),
            Ok(number) => self.descriptors.get(&number).cloned(),
            Err(_) => None,
        };
        match source {
            Some(source) => {
                self.set_descriptor(descriptor, source);
                Ok(true)
            }
            None => {
                self.complain(&format!("{text}: Bad file descriptor")).await;
                Ok(false)
            }
        }
    }

    fn set_descriptor(&mut self, number: u32, stream: Descriptor) {
        match (number, stream) {
            (0, Descriptor::Input(stream)) => self.io.stdin = stream,
            (1, Descriptor::Output(stream)) => self.io.stdout = stream,
            (2, Descriptor::Output(stream)) => self.io.stderr = stream,
            // A terminal's descriptors are all open for both; elsewhere the other direction is a mistake.
            (0, Descriptor::Output(_)) => self.io.stdin = InputStream::null(),
            (1 | 2, Descriptor::Input(_)) => {}
            (number, stream) => {
                self.descriptors.insert(number, stream);
            }
        }
    }
}
