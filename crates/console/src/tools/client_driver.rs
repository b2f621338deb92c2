//! Drives a client (producer, consumer, admin) with a process's sockets and timers.

use playground_client::{
    Admin, AdminConfig, AdminEvent, AdminRequest, AdminResponse, Client, ClientError, Properties,
};
use playground_protocol::{ClientInput, LogLevel, LogLine, Time};
use playground_sim::{Either, select};

use super::java::print_log;
use crate::commands::CommandContext;

/// Does everything that the client asks for, and prints what it logs.
pub async fn flush_outputs(context: &CommandContext, client: &mut impl Client) {
    while let Some(output) = client.poll_output() {
        if let Some(line) = context.process.network_output(output) {
            print_log(context, &line).await;
        }
    }
}

/// Waits for the client's next input or deadline, or for `limit`, whichever is first, and gives it to the
/// client. Cancelling it loses nothing.
pub async fn next_input(
    context: &CommandContext,
    client: &impl Client,
    limit: Time,
) -> Option<ClientInput> {
    let deadline = client.next_deadline().min(limit);
    match select(
        context.process.next_network(),
        context.process.sleep_until(deadline),
    )
    .await
    {
        Either::Left(input) => Some(input),
        Either::Right(()) => None,
    }
}

/// Gives the client what [`next_input`] brought, and all else that has come by now.
pub fn apply_input(context: &CommandContext, client: &mut impl Client, input: Option<ClientInput>) {
    let now = context.process.now();
    if let Some(input) = input {
        client.handle(input, now);
    }
    while let Some(input) = context.process.try_next_network() {
        client.handle(input, now);
    }
    if client.next_deadline() <= now {
        client.tick(now);
    }
}

/// One round: outputs, wait, input.
pub async fn step(context: &CommandContext, client: &mut impl Client, limit: Time) {
    flush_outputs(context, client).await;
    let input = next_input(context, client, limit).await;
    apply_input(context, client, input);
}

/// An admin client, called as straight-line code.
pub struct AdminSession {
    admin: Admin,
    context: CommandContext,
    timeout_ms: Option<i64>,
}

impl AdminSession {
    /// An admin client with these properties and bootstrap servers.
    ///
    /// # Errors
    /// The exception that Java's `Admin.create` throws.
    pub async fn open(
        context: &CommandContext,
        mut properties: Properties,
        servers: &str,
    ) -> Result<AdminSession, ClientError> {
        properties.insert("bootstrap.servers".to_owned(), servers.to_owned());
        let failed = |cause: ClientError| {
            ClientError::new(
                "org.apache.kafka.common.KafkaException",
                "Failed to create new KafkaAdminClient",
            )
            .caused_by(cause)
        };
        let config = AdminConfig::from_properties(&properties).map_err(ClientError::from)?;
        check_resolvable(context, servers).await.map_err(failed)?;
        let admin = Admin::new(config, context.process.random(), context.process.now());
        Ok(AdminSession {
            admin,
            context: context.clone(),
            timeout_ms: None,
        })
    }

    /// The same with what a tool that knows `--bootstrap-server` and `--bootstrap-controller` was given.
    ///
    /// # Errors
    /// The exception that Java's `Admin.create` throws; a controller's address is not supported yet.
    pub async fn open_at(
        context: &CommandContext,
        properties: Properties,
        servers: Option<&str>,
        controllers: Option<&str>,
    ) -> Result<AdminSession, ClientError> {
        if controllers.is_some() {
            return Err(ClientError::new(
                "org.apache.kafka.common.errors.UnsupportedVersionException",
                "--bootstrap-controller is not supported yet: use --bootstrap-server.",
            ));
        }
        AdminSession::open(context, properties, servers.unwrap_or_default()).await
    }

    /// Gives every later call this many milliseconds.
    pub fn set_timeout_ms(&mut self, timeout_ms: i64) {
        self.timeout_ms = Some(timeout_ms);
    }

    /// Calls, and waits for the answer.
    ///
    /// # Errors
    /// The exception of the whole call.
    pub async fn call(&mut self, request: AdminRequest) -> Result<AdminResponse, ClientError> {
        let call = self
            .admin
            .submit(request, self.timeout_ms, self.context.process.now());
        loop {
            flush_outputs(&self.context, &mut self.admin).await;
            while let Some(AdminEvent::Done { id, result }) = self.admin.poll_event() {
                if id == call {
                    return result;
                }
            }
            let input = next_input(&self.context, &self.admin, Time::NEVER).await;
            apply_input(&self.context, &mut self.admin, input);
        }
    }

    /// Closes the connections.
    pub async fn close(mut self) {
        self.admin.close(self.context.process.now());
        flush_outputs(&self.context, &mut self.admin).await;
    }
}

/// Java's `ClientUtils.parseAndValidateAddresses`: at least one name must be known; the others are warned of.
///
/// # Errors
/// The `ConfigException`.
pub async fn check_resolvable(context: &CommandContext, servers: &str) -> Result<(), ClientError> {
    let mut known = false;
    for server in servers.split(',').map(str::trim) {
        let Some((host, _)) = server.rsplit_once(':') else {
            continue;
        };
        if context.process.resolves(host) {
            known = true;
            continue;
        }
        let line = LogLine {
            level: LogLevel::Warn,
            logger: "org.apache.kafka.clients.ClientUtils",
            message: format!(
                "Couldn't resolve server {server} from bootstrap.servers as DNS resolution failed for {host}"
            ),
        };
        print_log(context, &line).await;
    }
    if known {
        return Ok(());
    }
    Err(ClientError::new(
        "org.apache.kafka.common.config.ConfigException",
        "No resolvable bootstrap urls given in bootstrap.servers",
    ))
}

/// The answer of another kind than the request asked for: a bug of ours, told as an error.
pub fn unexpected() -> ClientError {
    ClientError::new(
        "java.lang.IllegalStateException",
        "the admin client answered another call",
    )
}
