//! The server as a process of its own, which may be killed.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, timeout},
};

/// How long a server may take to come up.
const COMES_UP_WITHIN: Duration = Duration::from_mins(1);

/// What a command prints, and whether it succeeds, in a folder and with these settings alone.
pub async fn command(
    folder: &Path,
    arguments: &[&str],
    settings: &[(&str, &str)],
) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_staygate"))
        .args(arguments)
        .env_clear()
        .envs(settings.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the binary starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
    (output.status.success(), said.concat())
}

/// A running `staygate serve`; it goes down with this handle.
pub struct Process {
    child: Child,
    base: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it in a folder, with these settings alone.
    pub async fn serves(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_staygate"))
            .arg("serve")
            .env_clear()
            .envs([
                ("STAYGATE_LISTEN", "127.0.0.1:0"),
                ("STAYGATE_ADMIN_LISTEN", "off"),
                ("STAYGATE_RATE_LIMITS", "off"),
                ("STAYGATE_PASSWORD_MEMORY_KIB", "64"),
                ("STAYGATE_PASSWORD_PASSES", "1"),
                ("STAYGATE_ACCESS_TOKEN_TTL", "86400"),
                ("STAYGATE_MAIL_DIR", "mails"),
                ("NO_COLOR", "1"),
            ])
            .envs(settings.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let said = child.stderr.take().expect("what it says");
        let mut said = BufReader::new(said).lines();
        let address = async {
            let mut heard = vec![];
            while let Ok(Some(line)) = said.next_line().await {
                if let Some((_, address)) = line.split_once("serving on ") {
                    let end = address.find(',').unwrap_or(address.len());
                    return address[..end].trim().to_owned();
                }
                heard.push(line);
            }
            panic!("it did not come up: {heard:#?}");
        };
        let base = timeout(COMES_UP_WITHIN, address).await.expect("in time");
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let keeps = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                keeps
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        Self {
            child,
            base,
            said: heard,
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its log since it came up.
    pub fn has_said(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// The same, once a line is there that is waited for.
    pub async fn has_said_until(&self, is_it: impl Fn(&str) -> bool) -> Vec<String> {
        let heard = async {
            loop {
                let said = self.has_said();
                if said.iter().any(|line| is_it(line)) {
                    return said;
                }
                tokio::task::yield_now().await;
            }
        };
        let heard = timeout(COMES_UP_WITHIN, heard).await;
        heard.unwrap_or_else(|_| panic!("not among {:#?}", self.has_said()))
    }

    /// It is told to stop (`kill`), and has ended. Gives how long that took.
    pub async fn is_stopped(&mut self) -> Duration {
        let began = Instant::now();
        let id = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").arg(id).status().await;
        assert!(told.expect("it is told").success());
        let ended = timeout(COMES_UP_WITHIN, self.child.wait()).await;
        let status = ended.expect("it ends").expect("it is known how");
        assert!(status.success(), "{status}");
        began.elapsed()
    }

    /// It is gone in the middle of whatever it does (`kill -9`).
    pub async fn is_killed(&mut self) {
        self.child.kill().await.expect("it ran until now");
    }
}
