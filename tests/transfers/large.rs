//! A layer larger than the memory that there may be for it.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use berth::digest::{Algorithm, Digest, Hasher};
use serde_json::json;

use crate::{
    desk::Desk,
    image::{CONFIG, IMAGE, Image, LAYER, blob},
    watched::{Moment, Watched},
};

/// Bytes of the layer: nothing but zeros, for which the file system needs no room.
const SIZE: u64 = 256 << 20;
/// Bytes that may be resident. Of a program that is not optimized, a third is the program.
const MOST: u64 = 64 << 20;

/// A layout with such a layer.
fn layout(path: &Path) -> Image {
    let mut hasher = Hasher::new(Algorithm::CANONICAL);
    let zeros = vec![0; 1 << 20];
    (0..SIZE >> 20).for_each(|_| hasher.update(&zeros));
    let digest: Digest = hasher.finish();
    let mut image = Image::default();
    let config = json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": [digest] } });
    let config = image.add(CONFIG, config.to_string().into_bytes());
    let layer = json!({ "mediaType": LAYER, "digest": digest, "size": SIZE });
    image.manifest(IMAGE, &json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer] }));
    image.write(path);
    File::create(path.join(blob(&digest))).unwrap().set_len(SIZE).unwrap();
    image
}

/// The most memory that `command` has had resident, in bytes (proc(5), `VmHWM`), when it puts its first manifest.
async fn peak(registry: &Watched, mut command: Command) -> u64 {
    registry.hold(|_, seen| seen.is("PUT", "manifests").then_some(Moment::Asked));
    let mut child = command.spawn().unwrap();
    registry.reached().await;
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says VmHWM");
    child.kill().unwrap();
    child.wait().unwrap();
    registry.let_go();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[tokio::test]
async fn passes_through_little_memory() {
    let desk = Desk::new();
    let on = |name: &str| {
        format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n", desk.path(name).display())
    };
    let (from, to) = (Watched::configured(&on("from")).await, Watched::configured(&on("to")).await);
    let image = layout(&desk.path("layout"));

    let push = format!("push layout {}/app:1", from.host());
    let pushing = peak(&from, desk.command(&push)).await;
    assert!(desk.run(&push).await.done().contains("blobs: 2 there already"));
    let name = format!("{}/app:1", from.host());
    let copying = peak(&to, desk.command(&format!("copy {name} {}/app:1", to.host()))).await;
    desk.run(&format!("pull {name} app.tar")).await.done();
    let mut piped = desk.command(&format!("push - {}/piped:1", to.host()));
    piped.stdin(Stdio::from(File::open(desk.path("app.tar")).unwrap()));
    let piping = peak(&to, piped).await;
    println!("resident: {} MB pushing, {} MB copying, {} MB from a pipe", pushing >> 20, copying >> 20, piping >> 20);
    assert!(pushing < MOST && copying < MOST && piping < MOST, "{pushing} {copying} {piping}");
    let layer = image.parsed()["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
    assert!(to.has("piped", &layer).await);
}
