//! Connections, and the inputs and outputs that every client of the wire shares.

use bytes::Bytes;

/// Names one connection at one of its ends. Unique within the host that drives the value; who chooses
/// it is said where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happens to a connection that a client opened with [`ClientOutput::Connect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientInput {
    /// The connection is open: frames may be sent.
    Connected(ConnectionId),
    /// Nobody listens there, or the host cannot be reached. The connection is gone.
    ConnectFailed(ConnectionId),
    /// A whole frame arrived, without its four-byte size.
    Frame(ConnectionId, Bytes),
    /// The peer closed the connection, or it broke.
    Disconnected(ConnectionId),
}

/// What a client asks of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientOutput {
    /// Open a connection. The client chose the id.
    Connect {
        /// The id that the client chose, never used before by it.
        connection: ConnectionId,
        /// A name or an IPv4 address, as configured or as advertised.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// Send a whole frame, without its four-byte size (the host adds that on real sockets).
    Send(ConnectionId, Bytes),
    /// Close the connection; nothing more is delivered from it.
    Close(ConnectionId),
    /// A line for the client's log, in the texts of the Java client.
    Log(LogLine),
}

/// Severity of a [`LogLine`], as log4j prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Shown by no tool by default.
    Debug,
    /// Shown by brokers, not by the console tools (whose log4j threshold is WARN).
    Info,
    /// Shown.
    Warn,
    /// Shown.
    Error,
}

impl LogLevel {
    /// The level as log4j prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warn => "WARN",
            LogLevel::Error => "ERROR",
        }
    }
}

/// One event of a log4j log. A console tool prints it to stderr as
/// `[yyyy-MM-dd HH:mm:ss,SSS] LEVEL message (logger)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How severe.
    pub level: LogLevel,
    /// The Java class that logs it, fully qualified: `org.apache.kafka.clients.NetworkClient`.
    pub logger: &'static str,
    /// The text; further lines are printed as they stand.
    pub message: String,
}
