//! `playground serve`: the nodes behind TCP, in memory or kept in a folder.

mod connection;
mod folder;
mod node_task;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use playground_broker::{Listener, NodeConfig};
use playground_log::checkpoint::parse_uuid;
use playground_protocol::{Random, Time};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use node_task::NodeTask;

/// Where a node keeps its data, on its own disk.
const LOG_DIR: &str = "/var/lib/kafka/data";
/// The listener of the controllers.
const CONTROLLER: &str = "CONTROLLER";
/// How long nodes may take to shut down.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

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
    if !(1..=9).contains(&options.brokers) {
        bail!(
            "--brokers takes a number from 1 to 9, not {}",
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

/// The id of the cluster that the folder keeps, if it keeps one.
fn kept_cluster_id(options: &ServeOptions) -> Option<Uuid> {
    let data = options.data.as_ref()?;
    (1..=options.brokers).find_map(|id| {
        let text =
            std::fs::read_to_string(data.join(format!("kafka-{id}/meta.properties"))).ok()?;
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("cluster.id="))?;
        parse_uuid(id.trim())
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
    let cluster_id =
        kept_cluster_id(&options).unwrap_or_else(|| Random::new(seed, "cluster id").uuid());
    let (stop, stopping) = watch::channel(false);
    let mut nodes = Vec::new();
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
            overrides: overrides.clone(),
        };
        let folder = options
            .data
            .as_ref()
            .map(|data| data.join(format!("kafka-{id}")));
        let node_seed = Random::new(seed, &format!("node {id}")).next_u64();
        let task = NodeTask::start(config, folder, node_seed, clock)?;
        task.accept(client, "PLAINTEXT");
        task.accept(controller, CONTROLLER);
        nodes.push(tokio::spawn(task.run(stopping.clone())));
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
    wait_for_signal().await?;
    let _ = stop.send(true);
    for node in nodes {
        if tokio::time::timeout(SHUTDOWN_MAX, node).await.is_err() {
            eprintln!(
                "playground: a node did not shut down within {} s",
                SHUTDOWN_MAX.as_secs()
            );
        }
    }
    Ok(())
}

async fn wait_for_signal() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
