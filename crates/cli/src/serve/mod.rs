//! `playground serve`: the nodes behind TCP, in memory or kept in a folder.

mod connection;
mod folder;
mod limits;
mod node_task;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use playground_broker::{Listener, NodeConfig};
use playground_log::checkpoint::parse_uuid;
use playground_protocol::{Random, Time};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use limits::SHUTDOWN_MAX;
use node_task::{NodeTask, Shared};

/// Where a node keeps its data, on its own disk.
const LOG_DIR: &str = "/var/lib/kafka/data";
/// The most brokers of one server.
const BROKERS_MAX: u16 = 9;
/// The listener of the controllers.
const CONTROLLER: &str = "CONTROLLER";

/// The options of `playground serve`.
#[derive(Args, Debug)]
pub struct ServeOptions {
    /// How many brokers (1 to 9)
    #[arg(long, default_value_t = 1)]
    brokers: u16,
    /// The first broker's port; the others follow
    #[arg(long, default_value_t = 9092)]
    port_base: u16,
    /// A property of every broker, as in server.properties; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    broker_config: Vec<String>,
    /// Keep the cluster in this folder (default: in memory)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A wall clock that never goes back: what `now` is outside of a simulation.
#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    wall_us: u64,
}

impl Clock {
    fn start() -> Clock {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Clock {
            started: Instant::now(),
            wall_us: wall.as_micros() as u64,
        }
    }

    fn now(&self) -> Time {
        Time::from_micros(self.wall_us + self.started.elapsed().as_micros() as u64)
    }

    /// How long until `deadline`; `None`: for ever.
    fn until(&self, deadline: Time) -> Option<Duration> {
        (deadline != Time::NEVER).then(|| deadline.since(self.now()))
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub fn serve(options: ServeOptions) -> Result<()> {
    if !(1..=BROKERS_MAX).contains(&options.brokers) {
        bail!(
            "--brokers takes a number from 1 to {BROKERS_MAX}, not {}",
            options.brokers
        );
    }
    if options.port_base.checked_add(options.brokers).is_none() {
        bail!(
            "--port-base {} leaves no ports for {} brokers",
            options.port_base,
            options.brokers
        );
    }
    let overrides = options
        .broker_config
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => bail!("--broker-config takes KEY=VALUE, not '{pair}'"),
        })
        .collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(options, overrides))
}

async fn bind(port: u16) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await.with_context(|| {
        format!("cannot listen on 127.0.0.1:{port}: stop what listens there, or choose other ports with --port-base")
    })
}

async fn run(options: ServeOptions, overrides: Vec<(String, String)>) -> Result<()> {
    let clock = Clock::start();
    // A cluster's own entropy: the time of its birth. Everything after it is seeded from here.
    let seed = clock.wall_us ^ u64::from(std::process::id()).rotate_left(32);
    let mut sockets = Vec::new();
    let mut voters = Vec::new();
    for id in 1..=options.brokers {
        let (client, controller) = (bind(options.port_base + id - 1).await?, bind(0).await?);
        voters.push((
            i32::from(id),
            "127.0.0.1".to_owned(),
            controller.local_addr()?.port(),
        ));
        sockets.push((id, client, controller));
    }
    let _lock = options.data.as_deref().map(lock).transpose()?;
    let cluster_id = options
        .data
        .as_deref()
        .and_then(kept_cluster_id)
        .unwrap_or_else(|| Random::new(seed, "cluster id").uuid());
    let shared = Shared::new(usize::from(options.brokers));
    let (stop, stopping) = watch::channel(false);
    let mut nodes = JoinSet::new();
    for (id, client, controller) in sockets {
        let listener = |name: &str, socket: &TcpListener| -> Result<Listener> {
            let port = socket.local_addr()?.port();
            Ok(Listener {
                name: name.to_owned(),
                port,
                advertised_host: "127.0.0.1".to_owned(),
                advertised_port: port,
            })
        };
        let config = NodeConfig {
            node_id: i32::from(id),
            cluster_id,
            listeners: vec![
                listener("PLAINTEXT", &client)?,
                listener(CONTROLLER, &controller)?,
            ],
            controller_voters: voters.clone(),
            rack: None,
            log_dir: LOG_DIR.to_owned(),
            overrides: std::iter::once((
                "offsets.topic.replication.factor".to_owned(),
                options.brokers.min(3).to_string(),
            ))
            .chain(overrides.iter().cloned())
            .collect(),
        };
        let folder = options.data.as_deref().map(|data| node_folder(data, id));
        let node_seed = Random::new(seed, &format!("node {id}")).next_u64();
        let task = NodeTask::start(config, folder, node_seed, clock, shared.clone())?;
        task.accept(client, "PLAINTEXT");
        task.accept(controller, CONTROLLER);
        nodes.spawn(task.run(stopping.clone()));
    }
    let last = options.port_base + options.brokers - 1;
    let servers: Vec<String> = (options.port_base..=last)
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let kept = options
        .data
        .as_ref()
        .map_or("in memory".to_owned(), |data| {
            format!("kept in {}", data.display())
        });
    println!(
        "Serving Kafka on {} ({kept}). Ctrl-C ends it.",
        servers.join(",")
    );
    let mut result = tokio::select! {
        signal = wait_for_signal() => signal,
        // Only a node that cannot go on ends before it is asked to; it has said why.
        Some(ended) = nodes.join_next() => match ended {
            Ok(ended) => ended,
            Err(panicked) => Err(panicked.into()),
        },
    };
    let _ = stop.send(true);
    let all = async {
        while let Some(ended) = nodes.join_next().await {
            if let Ok(Err(error)) = ended
                && result.is_ok()
            {
                result = Err(error);
            }
        }
    };
    if tokio::time::timeout(SHUTDOWN_MAX, all).await.is_err() {
        eprintln!(
            "playground: not all nodes shut down within {} s",
            SHUTDOWN_MAX.as_secs()
        );
    }
    result
}

/// Takes a folder for this process alone, as `.lock` does in a Kafka log directory.
fn lock(data: &Path) -> Result<File> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot create {}", data.display()))?;
    let path = data.join(".lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another process serves what {} keeps: stop it, or choose another --data",
                data.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// The id of the cluster that a folder keeps.
fn kept_cluster_id(data: &Path) -> Option<Uuid> {
    (1..=BROKERS_MAX).find_map(|id| {
        let path = node_folder(data, id).join("meta.properties");
        let text = std::fs::read_to_string(path).ok()?;
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("cluster.id="))?;
        parse_uuid(id.trim())
    })
}

fn node_folder(data: &Path, id: u16) -> PathBuf {
    data.join(format!("kafka-{id}"))
}

async fn wait_for_signal() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
