//! The database's connection breaks at the commit of a step that had its effect in the backend: before
//! the server has committed, or before it could say that it has. The same process finds out which it
//! was, and the step that was not recorded is run again.

use std::fs;
use std::sync::{Arc, Mutex};

use abaca_store::Dialect;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::service::{Storage, World};
use crate::story;

crate::on_each_database!(@ servers the_step_is_recorded_once);

async fn the_step_is_recorded_once(dialect: Dialect) {
    for (number, kind) in story::fenced_kinds().enumerate() {
        // Each way of each kind on one of the servers.
        let is_lost = (number % 2 == 0) == (dialect == Dialect::Postgres);
        let breaks = if is_lost { Breaks::BeforeCommit } else { Breaks::BeforeAnswer };
        let world = World::new(dialect, Storage::Directory).await;
        let whole = world.start("all", None);
        let scene = story::prepare(&world, &whole, kind.name, true);
        drop(whole);
        story::ask(&world.start("api", None), kind.name, &scene);
        let line = Line::to(&world, breaks).await;
        let service = world.start("all", None);
        service.wait("the line breaks", |_| line.is_broken().then_some(()));
        let is_noticed = || world.log().contains("it will be tried again");
        service.wait(kind.name, |_| is_noticed().then_some(()));
        world.settled().await;
        story::assert_done(&world, &service, kind.name, &scene);
        assert!(service.stop().success(), "{}", kind.name);
        world.remove().await;
    }
}

/// Where a connection breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    BeforeCommit,
    BeforeAnswer,
}

/// All connections between the service and its database. The first one breaks in which an operation is
/// to end.
struct Line {
    breaks: Arc<Mutex<Option<Breaks>>>,
}

impl Line {
    /// Has processes of this world reach their database through it.
    async fn to(world: &World, breaks: Breaks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = &world.database.url;
        let server = url.split_once('@').unwrap().1.split('/').next().unwrap().to_owned();
        let address = listener.local_addr().unwrap().to_string();
        let config = fs::read_to_string(world.path("abaca.toml")).unwrap();
        let config = config.replace(url, &url.replace(&server, &address));
        fs::write(world.path("abaca.toml"), config).unwrap();
        let line = Self { breaks: Arc::new(Mutex::new(Some(breaks))) };
        let breaks = Arc::clone(&line.breaks);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                // What breaks is as good as closed.
                tokio::spawn(relay(client, server, Arc::clone(&breaks)));
            }
        });
        line
    }

    fn is_broken(&self) -> bool {
        self.breaks.lock().unwrap().is_none()
    }
}

/// Carries bytes both ways until one end closes, or the connection is to break.
async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    breaks: Arc<Mutex<Option<Breaks>>>,
) -> std::io::Result<()> {
    let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    // Whether the open transaction has said so of an operation.
    let mut has_succeeded = false;
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let asked = &asked[..count?];
                let says = |word: &[u8]| asked.windows(word.len()).any(|found| found == word);
                if asked.is_empty() {
                    return Ok(());
                }
                has_succeeded |= says(b"succeeded");
                let mut breaks_here = None;
                if says(b"COMMIT") {
                    if has_succeeded {
                        breaks_here = breaks.lock().unwrap().take();
                    }
                    has_succeeded = false;
                }
                if breaks_here == Some(Breaks::BeforeCommit) {
                    return Ok(());
                }
                server.write_all(asked).await?;
                if breaks_here == Some(Breaks::BeforeAnswer) {
                    return server.read(&mut told).await.map(drop);
                }
            }
            count = server.read(&mut told) => {
                let told = &told[..count?];
                if told.is_empty() {
                    return Ok(());
                }
                client.write_all(told).await?;
            }
        }
    }
}
