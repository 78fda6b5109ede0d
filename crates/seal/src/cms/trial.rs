//! A folder and other people's tools for the tests of signatures. Never part of the library.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder for one test's files, gone when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// `name` is the test's own.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("seal-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).expect("a file")
    }

    /// Runs a program in the folder.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let run = Command::new(program)
            .args(arguments)
            .current_dir(&self.0)
            .output();
        run.unwrap_or_else(|cause| panic!("{program} is installed: {cause}"))
    }

    /// What a program says; `Err` with its complaint when it fails.
    pub(crate) fn tell(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let run = self.run(program, arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if run.status.success() {
            Ok(text(&run.stdout))
        } else {
            Err(text(&run.stderr))
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("removed");
    }
}
