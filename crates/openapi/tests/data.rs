//! Finds the collected documents and suites.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The data folder: `HAUBERK_DATA`, or `../shared/data` beside the workspace.
///
/// Without it the test says so and passes; where `CI` is `true` that is a failure.
pub fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("HAUBERK_DATA").map_or(beside, PathBuf::from);
    if folder.join("openapi").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "no data at {}: set HAUBERK_DATA",
        folder.display()
    );
    eprintln!("skipped: no data at {}; set HAUBERK_DATA", folder.display());
    None
}

/// Read a file, unpacked.
pub fn read(path: &Path) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(file).expect("a zstd frame");
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).expect("zstd");
    bytes
}

/// The lines of an unpacked file, each a JSON value.
pub fn lines(path: &Path) -> Vec<Value> {
    let bytes = read(path);
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).expect("a JSON line"))
        .collect()
}

/// The names and texts of the documents.
pub fn documents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join("openapi"))
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    paths.sort();
    let name = |path: &Path| {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .replace(".json.zst", "")
    };
    paths.iter().map(|path| (name(path), read(path))).collect()
}
