//! Whether the dynamic loader finds a library.

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};

/// Whether a shared library of this name (or path) opens; it is closed again.
///
/// Its initialisers run: ask only for what a program may load at any time.
pub fn can_open(name: &str) -> bool {
    // SAFETY: initialisers of a library that the caller vouches for; no symbol of it is used.
    unsafe { Library::open(Some(name), RTLD_LAZY | RTLD_LOCAL) }.is_ok()
}
