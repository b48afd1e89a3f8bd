use super::{super::flow::flow, *};

fn at(folder: &std::path::Path) -> Blobs {
    Blobs::open(&format!("file://{}", folder.display()), &[]).unwrap()
}

#[test]
fn what_is_no_place_is_refused_in_one_line_that_says_what_is_missing() {
    for (url, expected) in [
        ("backups", "file:///FOLDER"),
        ("file://backups/here", "three slashes"),
        ("ftp://host/folder", "ftp"),
        ("s3://key:secret@bucket", "AWS_ACCESS_KEY_ID"),
        ("gs://bucket/prefix", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://container", "AZURE_STORAGE_ACCOUNT_NAME"),
    ] {
        let error = Blobs::open(url, &[]).err().unwrap();
        let message = format!("{error:#}");
        assert!(message.contains(expected), "{url}: {message}");
        assert!(
            !message.contains('\n') && !message.contains("secret"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_is_broken_off_or_stopped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    let stopping = CancellationToken::new();
    let (mut inlet, outlet) = flow();
    let upload = blobs.upload("a", outlet, &stopping, &|_| {});
    let breaks = async move {
        inlet.send(&vec![7; 20 << 20]).await.unwrap();
        drop(inlet);
    };
    let (uploaded, ()) = futures_util::join!(upload, breaks);
    assert!(uploaded.is_err());

    let (_inlet, outlet) = flow();
    stopping.cancel();
    let error = blobs.upload("b", outlet, &stopping, &|_| {}).await;
    assert!(format!("{:#}", error.unwrap_err()).contains(STOPPED));
    assert_eq!(blobs.list().await.unwrap(), []);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_written_is_read_and_listed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    let sent: Vec<u8> = (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut inlet, outlet) = flow();
    let told = std::sync::atomic::AtomicU64::new(0);
    let progress = |bytes| {
        told.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    let stopping = CancellationToken::new();
    let upload = blobs.upload("a", outlet, &stopping, &progress);
    let sends = async {
        for part in sent.chunks(1 << 20) {
            inlet.send(part).await.unwrap();
        }
        inlet.finish().await.unwrap();
    };
    let (uploaded, ()) = futures_util::join!(upload, sends);
    uploaded.unwrap();
    let length = sent.len() as u64;
    assert_eq!(told.into_inner(), length);
    let listed = blobs.list().await.unwrap();
    assert!(listed.len() == 1 && listed[0].name == "a" && listed[0].bytes == length);

    let (inlet, mut outlet) = flow();
    let reads = async {
        let mut got = vec![];
        while let Some(piece) = outlet.next().await.unwrap() {
            got.extend_from_slice(&piece);
        }
        got
    };
    let (downloaded, got) = futures_util::join!(blobs.download("a", length, inlet, &|_| {}), reads);
    downloaded.unwrap();
    assert!(got == sent);
    blobs.delete("a").await.unwrap();
    blobs.delete("a").await.unwrap();
    assert_eq!(blobs.list().await.unwrap(), []);
}
