//! The other side of a session: a server of ours or one from the tracker, reached again after whatever happened.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tvm_rt::rpc::Session;

use super::cores::CoreSet;
use super::python_host::PythonHost;
use super::server::{LocalServer, Role, ServerError};
use super::tracker::{Tracker, TrackerAddress, TrackerError};

/// How long a connection to a server that is there may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a live session may take to answer a trifle.
const PING_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait before a tracker is asked again that did not answer, or gave a device that is not there.
const TRACKER_PAUSE: Duration = Duration::from_millis(500);
/// How often a server is replaced in a row before we give up on it.
const MOST_RESTARTS: u32 = 3;

/// Sessions that one process can hold: TVM's own table has room for no more (`kMaxRPCSession` of
/// src/runtime/rpc/rpc_session.cc).
pub const MOST_SESSIONS: usize = 32;

/// Where sessions are to be had.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// A server that we start on this machine, and replace when it is lost.
    Local {
        /// The Python that serves.
        host: PythonHost,
        /// What it is for.
        role: Role,
        /// Where its output goes.
        log: PathBuf,
        /// The cores it may use; all without one.
        cores: Option<CoreSet>,
    },
    /// A device from TVM's tracker.
    Tracker {
        /// The tracker.
        address: TrackerAddress,
        /// The kind of device.
        key: String,
        /// How long to wait for a turn.
        patience: Duration,
        /// How long a turn lasts; the device's server ends the session then, however busy it is.
        lease: Duration,
    },
}

/// Why no session is to be had.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Our own server does not start.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The tracker gives no device.
    #[error(transparent)]
    Tracker(#[from] TrackerError),
    /// The connection fails.
    #[error("cannot open a session with {place}: {source}")]
    Connect {
        /// Host and port.
        place: String,
        /// What TVM said.
        source: tvm_rt::Error,
    },
    /// Its TVM runtime lacks the device, or the machine does.
    #[error("there is no {device_type} device at {place}")]
    NoSuchDevice {
        /// Which server.
        place: String,
        /// What was looked for.
        device_type: tvm_rt::DeviceType,
    },
    /// Nobody answers.
    #[error("{place} accepts no session within {} s", CONNECT_LIMIT.as_secs())]
    Silent {
        /// Host and port.
        place: String,
    },
}

/// Why a call had no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It took longer than it may.
    #[error("no answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The session's process died.
    #[error("the session's process died ({0})")]
    Died(tvm_rt::Error),
    /// The session's lease ran out while the call went on.
    #[error("the session's lease ran out")]
    LeaseExpired,
    /// The other side reported an error; the session goes on.
    #[error(transparent)]
    Remote(tvm_rt::Error),
    /// There is no session, and no way to get one.
    #[error(transparent)]
    Unreachable(#[from] PeerError),
}

/// One server and the session that we hold on it.
#[derive(Debug)]
pub struct Peer {
    endpoint: Endpoint,
    server: Option<LocalServer>,
    session: Option<Open>,
}

#[derive(Debug)]
struct Open {
    session: Session,
    /// When the lease runs out.
    ends: Option<Instant>,
}

impl Peer {
    /// A peer that is not connected yet.
    pub const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            server: None,
            session: None,
        }
    }

    /// Starts the server if it is ours and opens a session, so that the first call need not.
    ///
    /// # Errors
    /// When there is no session to be had.
    pub async fn open(&mut self) -> Result<(), PeerError> {
        self.session(Duration::ZERO).await.map(drop)
    }

    /// Calls `f` on a thread of its own with a session that lasts at least `limit`, and waits for it that long.
    ///
    /// A call that takes longer is given up: our own server is ended (with what hangs in it) and replaced at the
    /// next call.
    ///
    /// # Errors
    /// When it takes too long, the session's process dies, the other side reports an error, or there is no session.
    pub async fn call<T: Send + 'static>(
        &mut self,
        limit: Duration,
        f: impl FnOnce(&Session) -> tvm_rt::Result<T> + Send + 'static,
    ) -> Result<T, CallError> {
        let session = self.session(limit).await?;
        let running = blocking(move || f(&session));
        match timeout(limit, running).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                if self.answers().await {
                    return Err(CallError::Remote(error));
                }
                let ends = self.session.as_ref().and_then(|open| open.ends);
                self.close().await;
                if ends.is_some_and(|ends| ends <= Instant::now()) {
                    Err(CallError::LeaseExpired)
                } else {
                    Err(CallError::Died(error))
                }
            }
            Err(_) => {
                self.abandon().await;
                Err(CallError::TimedOut { limit })
            }
        }
    }

    /// Whether a device or builder of the tracker was lost: to have one again can take a while.
    pub const fn is_lost(&self) -> bool {
        matches!(self.endpoint, Endpoint::Tracker { .. }) && self.session.is_none()
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        match &self.endpoint {
            Endpoint::Local { role, .. } => format!("our {} server on this machine", role.name()),
            Endpoint::Tracker { address, key, .. } => format!("`{key}` of the tracker {address}"),
        }
    }

    /// Ends the session and, if it is ours, the server.
    pub async fn shut_down(mut self) {
        self.close().await;
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Ends the session; its server can serve another then.
    pub async fn close(&mut self) {
        if let Some(open) = self.session.take() {
            // The last handle says goodbye over the network, which can block when nobody listens any more.
            let _ = timeout(PING_LIMIT, blocking(move || drop(open))).await;
        }
    }

    /// Gives up a session in which something hangs.
    async fn abandon(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.close().await;
    }

    /// Whether the session's process still answers.
    async fn answers(&self) -> bool {
        let Some(open) = &self.session else {
            return false;
        };
        let session = open.session.clone();
        let ping = blocking(move || session.get_function("tvm.rpc.server.upload").is_ok());
        timeout(PING_LIMIT, ping).await.unwrap_or(false)
    }

    async fn session(&mut self, at_least: Duration) -> Result<Session, PeerError> {
        if let Some(open) = &self.session {
            let enough = |ends: Instant| ends.saturating_duration_since(Instant::now()) > at_least;
            if open.ends.is_none_or(enough) {
                return Ok(open.session.clone());
            }
            self.close().await;
        }
        let open = match self.endpoint.clone() {
            Endpoint::Local {
                host,
                role,
                log,
                cores,
            } => self.open_local(&host, role, &log, cores.as_ref()).await?,
            Endpoint::Tracker {
                address,
                key,
                patience,
                lease,
            } => {
                // A turn that is shorter than the call would be ended in the middle of it.
                let lease = lease.max(at_least + PING_LIMIT);
                open_tracked(&address, &key, patience, lease).await?
            }
        };
        let session = open.session.clone();
        self.session = Some(open);
        Ok(session)
    }

    async fn open_local(
        &mut self,
        host: &PythonHost,
        role: Role,
        log: &std::path::Path,
        cores: Option<&CoreSet>,
    ) -> Result<Open, PeerError> {
        let mut restarts = 0;
        loop {
            let error = match self.start_and_connect(host, role, log, cores).await {
                Ok(open) => return Ok(open),
                Err(error) => error,
            };
            let hopeless = matches!(
                error,
                PeerError::Server(ServerError::Ended {
                    of_itself: true,
                    ..
                })
            );
            if hopeless || restarts >= MOST_RESTARTS {
                return Err(error);
            }
            restarts += 1;
            if let Some(server) = self.server.take() {
                server.stop().await;
            }
        }
    }

    async fn start_and_connect(
        &mut self,
        host: &PythonHost,
        role: Role,
        log: &std::path::Path,
        cores: Option<&CoreSet>,
    ) -> Result<Open, PeerError> {
        if !self.server.as_mut().is_some_and(LocalServer::is_alive) {
            self.server = Some(LocalServer::start(host, role, log, cores).await?);
        }
        let port = self.server.as_ref().map_or(0, LocalServer::port);
        let session = connect("127.0.0.1", port, "", None).await?;
        Ok(Open {
            session,
            ends: None,
        })
    }
}

/// A turn on a device and a session there.
///
/// A tracker that is being restarted and a device that died after it had registered are waited out: it is tried until
/// the patience is spent.
async fn open_tracked(
    address: &TrackerAddress,
    key: &str,
    patience: Duration,
    lease: Duration,
) -> Result<Open, PeerError> {
    let give_up = Instant::now() + patience;
    loop {
        let left = give_up.saturating_duration_since(Instant::now());
        let error = match try_tracked(address, key, left, lease).await {
            Ok(open) => return Ok(open),
            Err(error @ PeerError::Tracker(TrackerError::NoDevice { .. })) => return Err(error),
            Err(error) => error,
        };
        if give_up.saturating_duration_since(Instant::now()) <= TRACKER_PAUSE {
            return Err(error);
        }
        tokio::time::sleep(TRACKER_PAUSE).await;
    }
}

async fn try_tracked(
    address: &TrackerAddress,
    key: &str,
    patience: Duration,
    lease: Duration,
) -> Result<Open, PeerError> {
    let tracker = Tracker::connect(address).await?;
    let turn = tracker.request(key, patience).await?;
    let ends = Some(Instant::now() + lease);
    let session = connect(&turn.host, turn.port, &turn.match_key, Some(lease)).await?;
    Ok(Open { session, ends })
}

async fn connect(
    host: &str,
    port: u16,
    key: &str,
    lifetime: Option<Duration>,
) -> Result<Session, PeerError> {
    let place = format!("{host}:{port}");
    let (host, key) = (host.to_owned(), key.to_owned());
    let connecting = blocking(move || Session::connect(&host, port, &key, lifetime));
    match timeout(CONNECT_LIMIT, connecting).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(source)) => Err(PeerError::Connect { place, source }),
        Err(_) => Err(PeerError::Silent { place }),
    }
}

/// Runs TVM's blocking code on a thread where it disturbs nobody. Dropping the future leaves the thread behind.
async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(f).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
