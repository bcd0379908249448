//! Writes the scripts of ALTER EXTENSION UPDATE, as cargo-pgrx installs them, from sql/upgrade. There a line `\ir FILE`
//! stands for a file that CREATE EXTENSION runs too. Once a release is out its script is committed in their place.

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=sql/upgrade");
    // A release has no template.
    for upgrade in fs::read_dir("sql/upgrade").into_iter().flatten() {
        let upgrade = upgrade?;
        let script = format!("sql/odoo_etl--{}", upgrade.file_name().to_string_lossy());
        println!("cargo::rerun-if-changed={script}");
        let text = whole(&upgrade.path())?;
        // Released sources have it already, and may be read-only.
        if fs::read_to_string(&script).is_ok_and(|made| made == text) {
            continue;
        }
        fs::write(&script, text)?;
        // Else cargo would take it for changed since this run began.
        fs::File::options()
            .write(true)
            .open(&script)?
            .set_modified(upgrade.metadata()?.modified()?)?;
    }
    Ok(())
}

/// A file with those that its lines name, which lie beside it or as they say.
fn whole(file: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", file.display());
    let mut script = String::new();
    for line in fs::read_to_string(file)?.lines() {
        match line.strip_prefix("\\ir ") {
            Some(part) => script += &whole(&file.with_file_name(part))?,
            None => script = script + line + "\n",
        }
    }
    Ok(script)
}
