//! Every seed is tried in every test run: the laws compile, hold for these, and what once broke one stays mended.

use std::path::Path;

type Check = fn(&[u8]);

const TARGETS: [(&str, Check); 10] = [
    ("access_log", hauberk_fuzz::captures::check_access_log),
    ("body", hauberk_fuzz::body::check),
    ("discover", hauberk_fuzz::discover::check),
    ("document", hauberk_fuzz::document::check),
    ("har", hauberk_fuzz::captures::check_har),
    ("ndjson", hauberk_fuzz::captures::check_ndjson),
    ("parameters", hauberk_fuzz::parameters::check),
    ("router", hauberk_fuzz::router::check),
    ("rules", hauberk_fuzz::rules::check),
    ("values", hauberk_fuzz::values::check),
];

#[test]
fn the_laws_hold_for_all_seeds() {
    for (target, check) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(target);
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).expect("a folder of seeds") {
            let path = entry.expect("an entry").path();
            eprintln!("{}", path.display());
            check(&std::fs::read(&path).expect("a seed"));
            count += 1;
        }
        assert!(count > 0, "{target} has no seed");
    }
}
