//! The line to a server of TCP, which a test may cut.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A port that leads to a server while the line is whole. Where it is cut, connections end and new ones are closed at once.
pub struct Line {
    port: u16,
    whole: watch::Sender<bool>,
}

impl Line {
    /// To an address such as `127.0.0.1:5432`.
    pub async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (whole, is_whole) = watch::channel(true);
        let address = address.to_owned();
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let (address, mut is_whole) = (address.clone(), is_whole.clone());
                tokio::spawn(async move {
                    if !*is_whole.borrow() {
                        return;
                    }
                    let mut there = TcpStream::connect(address)
                        .await
                        .expect("the server answers");
                    tokio::select! {
                        _ = copy_bidirectional(&mut here, &mut there) => {}
                        _ = is_whole.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { port, whole }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is_cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn is_mended(&self) {
        self.whole.send_replace(true);
    }
}
