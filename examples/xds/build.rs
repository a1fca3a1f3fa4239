//! Finds the descriptors of Envoy's API. The package `envoy-types` carries them beside its generated code, but gives no
//! constant for them.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let found = descriptors();
    println!("cargo:rerun-if-changed={}", found.display());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::copy(&found, out.join("descriptors.bin")).expect("the descriptors can be copied");
}

fn descriptors() -> PathBuf {
    let cargo = std::env::var_os("CARGO").expect("cargo sets it");
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let target = std::env::var("TARGET").expect("cargo sets it");
    let output = Command::new(cargo)
        // What other platforms need may not have been fetched.
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(["--filter-platform", &target, "--manifest-path"])
        .arg(Path::new(&manifest).join("Cargo.toml"))
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages
        .iter()
        .find(|package| package["name"] == "envoy-types")
        .expect("envoy-types is a dependency");
    let manifest = package["manifest_path"].as_str().expect("a path");
    let directory = Path::new(manifest).parent().expect("a directory");
    directory.join("src/generated/types.bin")
}
