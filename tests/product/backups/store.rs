//! A bucket: one that works, and one that refuses halfway.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{Safe, elsewhere};
use crate::support::{World, on_both_engines, required};

/// The variables by which a bucket is reached.
fn variables(server: &str, bucket: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "STAYGATE_BACKUP_URL",
            format!("s3://{bucket}/staygate/nightly"),
        ),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", server.to_owned()),
    ]
}

async fn runs(
    world: &World,
    safe: &Safe,
    more: &[(&'static str, String)],
    arguments: &[&str],
) -> (bool, String) {
    let mut settings = safe.settings();
    settings.extend_from_slice(more);
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    world.runs_with(&settings, arguments, "").await
}

on_both_engines! {
    async fn a_bucket_of_s3_holds_backups_as_a_folder_does(world: World) {
        let safe = Safe::new();
        world.guest("gus").await;
        let server = required("STAYGATE_TEST_S3");
        let bucket = format!("backups-{}", Uuid::new_v4().simple());
        let client = reqwest::Client::builder().build().expect("a client");
        let created = client.put(format!("{server}/{bucket}")).send().await.expect("moto answers");
        assert!(created.status().is_success(), "{created:?}");
        let mut settings = variables(&server, &bucket);
        let there = elsewhere(&world, &safe).await;
        for (arguments, expected) in [
            (&["backup"][..], "read back"),
            (&["backup", "list"], "m20"),
            (&["backup", "verify", "latest", "--identity", &safe.key()], "can be restored"),
            (&["backup", "prune"], "0 backups and 0 remains deleted"),
        ] {
            let (done, said) = runs(&world, &safe, &settings, arguments).await;
            assert!(done && said.contains(expected), "{arguments:?}: {said}");
        }
        settings.push(("DATABASE_URL", there));
        let (done, said) = runs(&world, &safe, &settings, &["restore", "latest", "--identity", &safe.key()]).await;
        assert!(done && said.contains("are those of the backup"), "{said}");
        settings.push(("AWS_ENDPOINT_URL", server.clone()));
        settings.push(("STAYGATE_BACKUP_URL", "s3://no-such-bucket-at-all".to_owned()));
        let (done, said) = runs(&world, &safe, &settings, &["backup"]).await;
        assert!(!done && said.contains("can't be written to s3://no-such-bucket-at-all"), "{said}");
    }

    async fn a_bucket_that_refuses_halfway_has_no_manifest_and_nothing_of_it(world: World) {
        let safe = Safe::new();
        for refused in ["part", "end"] {
            let bucket = Arc::new(Refusing { refused, asked: Mutex::default() });
            let router = Router::new().fallback(answer).with_state(Arc::clone(&bucket));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let server = format!("http://{}", listener.local_addr().expect("an address"));
            let serving = tokio::spawn(async move { axum::serve(listener, router).await });
            let (done, said) = runs(&world, &safe, &variables(&server, "bucket"), &["backup"]).await;
            assert!(!done && said.contains("can't be written to s3://bucket"), "{said}");
            let asked = bucket.asked.lock().expect("whole").clone();
            assert!(asked.iter().any(|line| line.starts_with("PUT") && line.contains("partNumber=1")), "{asked:#?}");
            assert!(asked.iter().any(|line| line.starts_with("DELETE") && line.contains("uploadId=")), "it is taken back: {asked:#?}");
            assert!(!asked.iter().any(|line| line.contains(".json")), "{asked:#?}");
            serving.abort();
        }
    }
}

/// A bucket that takes an upload up, and then refuses a part of it or its end.
struct Refusing {
    refused: &'static str,
    asked: Mutex<Vec<String>>,
}

async fn answer(State(bucket): State<Arc<Refusing>>, request: Request) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    axum::body::to_bytes(request.into_body(), usize::MAX)
        .await
        .expect("a body");
    let query = uri.query().unwrap_or_default().to_owned();
    bucket
        .asked
        .lock()
        .expect("whole")
        .push(format!("{method} {uri}"));
    let xml = |text: &'static str| (StatusCode::OK, text).into_response();
    match method {
        Method::POST if query.starts_with("uploads") => xml(
            "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>k</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
        ),
        Method::PUT if query.contains("partNumber") && bucket.refused != "part" => {
            let part = Response::builder()
                .header("ETag", "\"e1\"")
                .body(Body::empty());
            part.expect("an answer")
        }
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => (
            StatusCode::FORBIDDEN,
            "<Error><Code>AccessDenied</Code></Error>",
        )
            .into_response(),
    }
}
