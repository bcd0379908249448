//! Writes the scripts of ALTER EXTENSION UPDATE, as cargo-pgrx installs them, from sql/upgrade. There a line `\ir FILE`
//! stands for a file that CREATE EXTENSION runs too. Once a release is out its script is committed in their place.

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=sql/upgrade");
    for upgrade in fs::read_dir("sql/upgrade")? {
        let upgrade = upgrade?;
        let script = format!("odoo_etl--{}", upgrade.file_name().to_string_lossy());
        write(&Path::new("sql").join(script), &whole(&upgrade.path())?)?;
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

fn write(file: &Path, script: &str) -> io::Result<()> {
    match fs::read_to_string(file) {
        Ok(before) if before == script => Ok(()),
        _ => fs::write(file, script),
    }
}
